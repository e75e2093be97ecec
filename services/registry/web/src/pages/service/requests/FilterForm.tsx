/** What to look for. Each field takes effect while it is typed. */
import { Button, Group, Select, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { Filter } from "./filter";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const STATUSES = ["2xx", "3xx", "4xx", "5xx", "401", "404", "429", "502", "503", "504"];

interface Props {
  filter: Filter;
  onChange: (filter: Filter) => void;
  onClear?: () => void;
}

export function FilterForm({ filter, onChange, onClear }: Props) {
  const [all, { toggle }] = useDisclosure(
    Boolean(filter.code || filter.body || filter.instance || filter.slower_than_ms),
  );
  const set = (name: keyof Filter) => (value: string | null) => onChange({ ...filter, [name]: value ?? "" });
  const text = (name: keyof Filter, label: string, placeholder: string, width: number) => (
    <TextInput
      key={name}
      aria-label={label}
      placeholder={placeholder}
      value={filter[name]}
      onChange={(event) => set(name)(event.currentTarget.value)}
      w={{ base: "100%", xs: width }}
      size="sm"
    />
  );
  return (
    <Group gap="xs" role="search" aria-label="Requests" flex={{ base: "1 1 100%", md: "1 1 0" }}>
      <Select
        aria-label="Status"
        placeholder="Status"
        data={STATUSES}
        value={filter.status || null}
        onChange={set("status")}
        searchable
        clearable
        w={{ base: "calc(50% - 5px)", xs: 110 }}
      />
      <Select
        aria-label="Method"
        placeholder="Method"
        data={METHODS}
        value={filter.method || null}
        onChange={set("method")}
        clearable
        w={{ base: "calc(50% - 5px)", xs: 120 }}
      />
      {text("path", "Path, as a regular expression", "Path, e.g. ^/v1/", 200)}
      {all && (
        <>
          {text("code", "Answered by the router with", "e.g. rate_limit_total", 190)}
          {text("body", "A text in a body", "Text in a body", 160)}
          {text("instance", "Instance id", "Instance id", 160)}
          {text("slower_than_ms", "Slower than, in milliseconds", "Slower than ms", 140)}
        </>
      )}
      <Button variant="subtle" size="compact-sm" onClick={toggle} aria-expanded={all}>
        {all ? "Fewer" : "More"}
      </Button>
      {onClear && (
        <Button variant="subtle" size="compact-sm" onClick={onClear}>
          Clear
        </Button>
      )}
    </Group>
  );
}
