/** Messages that a consumer gave up: to be looked at, given to it once more, or thrown away. */
import { Anchor, Button, Drawer, Text } from "@mantine/core";
import { RotateCw } from "lucide-react";
import { useLocation, useSearch } from "wouter";
import { useNumberedPages } from "@/api/pages";
import type { DeadLetterBrief } from "@/api/schema";
import { Ago } from "@/components/Ago";
import type { Column } from "@/components/DataTable";
import { Empty } from "@/components/Empty";
import { bytes } from "@/components/format";
import { PagedTable } from "@/components/PagedTable";
import { PageHead } from "@/components/PageHead";
import { Letter } from "./Letter";

const HERE = "/dead-letters";
const SIZE = 50;

export default function DeadLettersPage() {
  const [, go] = useLocation();
  const opened = new URLSearchParams(useSearch()).get("number");
  const letters = useNumberedPages("GET /installation/dead-letters", {}, { size: SIZE });
  const open = (letter: DeadLetterBrief) => go(`${HERE}?number=${letter.number}`);
  const close = () => go(HERE);
  return (
    <>
      <PageHead title="Dead letters" path={[{ label: "Installation", href: "/installation" }]}>
        <Button variant="default" leftSection={<RotateCw size={16} />} onClick={letters.retry}>
          Read again
        </Button>
      </PageHead>
      <Text size="sm" c="dimmed" mb="md">
        A message that a part could not deal with is set aside here, so that the others are not held up by it.
      </Text>
      <PagedTable
        of={letters}
        failed="The dead letters could not be shown"
        label="Dead letters"
        columns={columns(open)}
        rowKey={({ number }) => String(number)}
        onOpen={open}
        empty={<Empty title="No dead letters">Every message was dealt with.</Empty>}
      />
      <Drawer opened={opened !== null} onClose={close} size="xl" title={`Dead letter ${opened ?? ""}`}>
        {opened !== null && <Letter number={opened} onGone={close} />}
      </Drawer>
    </>
  );
}

function columns(open: (letter: DeadLetterBrief) => void): Column<DeadLetterBrief>[] {
  return [
    {
      key: "number",
      header: "Number",
      width: "80px",
      cell: (letter) => (
        <Anchor component="button" type="button" size="sm" onClick={() => open(letter)}>
          {letter.number}
        </Anchor>
      ),
    },
    { key: "consumer", header: "Given up by", width: "minmax(100px, 1fr)", cell: ({ consumer }) => consumer },
    {
      key: "subject",
      header: "Subject",
      width: "minmax(120px, 1.4fr)",
      from: "md",
      cell: ({ subject }) => (
        <Text size="sm" ff="monospace" truncate title={subject}>
          {subject}
        </Text>
      ),
    },
    {
      key: "reason",
      header: "Why",
      width: "minmax(120px, 2fr)",
      cell: ({ reason }) => (
        <Text size="sm" truncate title={reason}>
          {reason}
        </Text>
      ),
    },
    { key: "size", header: "Size", width: "80px", align: "right", from: "sm", cell: ({ size }) => bytes(size) },
    { key: "date", header: "When", width: "130px", from: "sm", cell: ({ date }) => <Ago time={date} /> },
  ];
}
