"""The web app in Chromium with much to show: how soon it can be used, and how it scrolls."""
