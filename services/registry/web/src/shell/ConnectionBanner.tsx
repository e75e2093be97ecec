/** Says that the registry or its live stream is away, once that has lasted; goes by itself. */
import { Box, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { type Connection, useConnection } from "@/api/connection";

const PATIENCE_MS = 1500; // a registry that restarts is back by then

export function ConnectionBanner() {
  const problem = inWords(useConnection());
  const [lasts, setLasts] = useState(false);
  useEffect(() => {
    if (!problem) return setLasts(false);
    const timer = setTimeout(() => setLasts(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [problem]);
  return (
    <Box role="status" aria-live="polite" className="banner-place">
      {problem && lasts && (
        <Text className="banner" size="sm" px="md" py={6}>
          {problem}
        </Text>
      )}
    </Box>
  );
}

function inWords({ api, stream }: Connection): string {
  if (api === "away")
    return "The registry does not answer. Services go on as they are; this page comes back by itself.";
  if (stream === "away") return "Live updates are interrupted: numbers may be old until the stream is back.";
  return "";
}
