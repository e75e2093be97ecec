/** Colours and sizes. Texts have a contrast of 4.5 to 1 and more, which Mantine's defaults do not have everywhere. */
import { type CSSVariablesResolver, createTheme } from "@mantine/core";

export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 7, dark: 8 },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, 'Liberation Mono', monospace",
  headings: { fontWeight: "650" },
  components: {
    Modal: { defaultProps: { centered: true, closeButtonProps: { "aria-label": "Close" } } },
    Drawer: { defaultProps: { position: "right", closeButtonProps: { "aria-label": "Close" } } },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Close the notice" } } },
    Badge: { defaultProps: { variant: "light", tt: "none", radius: "sm", miw: "max-content" } },
    // What scrolls can be scrolled by keyboard.
    TableScrollContainer: { defaultProps: { scrollAreaProps: { viewportProps: { tabIndex: 0 } } } },
    Alert: { defaultProps: { variant: "light" } },
  },
});

const TINTED = ["gray", "red", "orange", "yellow", "green", "teal", "blue", "indigo", "violet"];

export const variables: CSSVariablesResolver = (from) => ({
  variables: {},
  light: {
    ...filledRed(from.colors.red[9]),
    "--mantine-color-dimmed": from.colors.gray[7],
    "--mantine-color-placeholder": from.colors.gray[6],
    "--mantine-color-error": from.colors.red[9],
    ...Object.fromEntries(
      TINTED.map((color) => [`--mantine-color-${color}-light-color`, darkest(from.colors[color]?.[9])]),
    ),
  },
  dark: {
    ...filledRed(from.colors.red[9]),
    "--mantine-color-dimmed": from.colors.dark[1],
    "--mantine-color-placeholder": from.colors.dark[2],
    "--mantine-color-error": from.colors.red[4],
    "--mantine-color-disabled": from.colors.dark[5],
    "--mantine-color-disabled-color": from.colors.dark[2],
    ...Object.fromEntries(
      TINTED.map((color) => [`--mantine-color-${color}-light-color`, from.colors[color]?.[2] ?? ""]),
    ),
  },
});

/** Under white text. */
function filledRed(red = ""): Record<string, string> {
  return {
    "--mantine-color-red-filled": red,
    "--mantine-color-red-filled-hover": `color-mix(in srgb, ${red} 88%, black)`,
  };
}

/** Mantine's darkest yellows and greens are still too light on their own tint. */
function darkest(color = ""): string {
  return `color-mix(in srgb, ${color} 70%, black)`;
}
