/** The labels of a thing; each can be chosen to show only what has it. */
import { Chip } from "./Chip";
import { textsOf } from "./labels";

interface Props {
  labels: Record<string, string>;
  onChoose?: (label: string) => void;
}

export function Labels({ labels, onChoose }: Props) {
  return textsOf(labels).map((text) =>
    onChoose ? (
      <button
        key={text}
        type="button"
        className="chip chip-gray"
        title={text}
        onClick={() => onChoose(text)}
        aria-label={`Show only what has the label ${text}`}
      >
        {text}
      </button>
    ) : (
      <Chip key={text} color="gray" title={text}>
        {text}
      </Chip>
    ),
  );
}
