/** Who is signed in, their account, and the way out. */
import { ActionIcon, Menu, Text } from "@mantine/core";
import { BookOpen, CircleUser, LogOut, Settings } from "lucide-react";
import { Link } from "wouter";
import { useChange } from "@/api/queries";
import { signedOut, useSession } from "@/session/session";

export default function AccountMenu() {
  const { user, version } = useSession();
  const leave = useChange("DELETE /session", { after: signedOut, failed: "You are still signed in" });
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Your account">
          <CircleUser size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" style={{ overflowWrap: "anywhere" }}>
            {user.email}
          </Text>
          <Text size="xs">{user.administrator ? "Administrator" : `Narthex ${version}`}</Text>
        </Menu.Label>
        <Menu.Item component={Link} href="/account" leftSection={<Settings size={16} />}>
          Account and tokens
        </Menu.Item>
        <Menu.Item component="a" href="/docs" target="_blank" leftSection={<BookOpen size={16} />}>
          API reference
        </Menu.Item>
        <Menu.Item leftSection={<LogOut size={16} />} onClick={() => leave.mutate({})}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
