/** Labels as `name:value` texts. `{...form.getInputProps("labels")}` */
import { TagsInput, type TagsInputProps } from "@mantine/core";

export function LabelsInput(props: TagsInputProps) {
  return <TagsInput label="Labels" description="name:value, and Enter" splitChars={[",", " "]} {...props} />;
}
