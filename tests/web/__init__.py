"""The web app in a browser; a package, so that its browser, which keeps an event loop, ends with its last test."""
