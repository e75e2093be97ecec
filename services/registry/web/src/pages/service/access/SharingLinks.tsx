/** Links that let in whoever has them, for a time. */
import { Button, Group, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { useChange } from "@/api/queries";
import { Confirm } from "@/components/Confirm";
import { moment } from "@/components/format";
import { Section } from "@/components/Section";
import { ShownOnce } from "@/components/ShownOnce";
import type { TabProps } from "../tabs";

const LENGTHS = [
  { value: "3600", label: "1 hour" },
  { value: "86400", label: "1 day" },
  { value: "604800", label: "7 days" },
  { value: "2592000", label: "30 days" },
];

export function SharingLinks({ project, service }: TabProps) {
  const [length, setLength] = useState("86400");
  const [to, setTo] = useState("");
  const [asking, setAsking] = useState(false);
  const at = { path: { project, service: service.name } };
  const share = useChange("POST /projects/{project}/services/{service}/share", { failed: "No link was made" });
  const withdraw = useChange("POST /projects/{project}/services/{service}/share/withdraw", {
    quiet: true,
    done: "No link leads in any more",
    after: () => {
      setAsking(false);
      share.reset();
    },
  });
  return (
    <Section
      title="Sharing links"
      says="A link lets in whoever has it, in any browser, until it expires or all links are withdrawn."
      action={
        <Button variant="default" color="red" onClick={() => setAsking(true)}>
          Withdraw all
        </Button>
      }
    >
      <Group gap="xs" align="flex-end" mb={share.data ? "sm" : 0}>
        <Select
          label="Works for"
          data={LENGTHS}
          value={length}
          onChange={(value) => setLength(value ?? length)}
          allowDeselect={false}
          w={130}
        />
        <TextInput
          label="Leads to"
          placeholder="/"
          value={to}
          onChange={(event) => setTo(event.currentTarget.value)}
          w={{ base: "100%", xs: 220 }}
        />
        <Button
          loading={share.isPending}
          onClick={() => share.mutate({ ...at, body: { expires_in: Number(length), path: to || null } })}
        >
          Make a link
        </Button>
      </Group>
      {share.data && (
        <ShownOnce value={share.data.url} label={`link, which works until ${moment(share.data.expires)},`} />
      )}
      <Confirm
        opened={asking}
        title="Withdraw all links?"
        action="Withdraw"
        color="red"
        working={withdraw.isPending}
        problem={withdraw.error}
        onConfirm={() => withdraw.mutate(at)}
        onClose={() => setAsking(false)}
      >
        Every link to {service.name} stops working, and whoever came by one is signed out.
      </Confirm>
    </Section>
  );
}
