/** Whose client certificates are a way in (mutual TLS), and which of them. */
import { Button, FileButton, Group, Select, SimpleGrid, TagsInput, Textarea } from "@mantine/core";
import { FileUp } from "lucide-react";
import { Door } from "./Door";
import { certificatesOf } from "./doors";
import type { SettingsForm } from "./FieldInput";

const NAMES = [
  { value: "common_name", label: "its subject's common name" },
  { value: "email", label: "its e-mail address (alternative name)" },
  { value: "dns", label: "its DNS name (alternative name)" },
  { value: "uri", label: "its URI (alternative name)" },
];

interface Props {
  stored: Record<string, unknown> | null;
  form: SettingsForm;
}

export function ClientCertificates({ stored, form }: Props) {
  const value = form.values.client_certificates;
  const read = async (file: File | null) => {
    if (file) form.setFieldValue("client_certificates.authorities", (await file.text()) as never);
  };
  return (
    <Door
      title="Client certificates"
      says="Whoever shows a certificate that one of these authorities has signed (mutual TLS), on connections made from then on. Who shows none may come another way."
      form={form}
      field="client_certificates"
      opened={certificatesOf(stored ?? {})}
    >
      <Textarea
        label="Authorities"
        description="Certificates in PEM, 20 at most; no keys"
        placeholder="-----BEGIN CERTIFICATE-----"
        autosize
        minRows={4}
        maxRows={14}
        spellCheck={false}
        autoComplete="off"
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        {...form.getInputProps("client_certificates.authorities")}
      />
      <Group>
        <FileButton onChange={read} accept=".pem,.crt,.cer">
          {(props) => (
            <Button variant="default" size="xs" leftSection={<FileUp size={14} />} {...props}>
              Take them from a file
            </Button>
          )}
        </FileButton>
      </Group>
      <SimpleGrid cols={{ base: 1, md: 2 }} verticalSpacing="sm" style={{ alignItems: "end" }}>
        <Select
          label="Caller's name"
          description="What of a certificate names the caller, in logs and for limits"
          data={NAMES}
          allowDeselect={false}
          {...form.getInputProps("client_certificates.user")}
        />
        <TagsInput
          label="Only who is called so"
          placeholder={value?.names.length ? undefined : "everybody they have signed for"}
          splitChars={[","]}
          acceptValueOnBlur
          {...form.getInputProps("client_certificates.names")}
        />
      </SimpleGrid>
    </Door>
  );
}
