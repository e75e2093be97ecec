/** Oneself: who one is here, one's own tokens, another password. */
import { Stack, Text } from "@mantine/core";
import { PageHead } from "@/components/PageHead";
import { Section } from "@/components/Section";
import { useSession } from "@/session/session";
import { Password } from "./Password";
import { Sessions } from "./Sessions";
import { Tokens } from "./Tokens";

export default function AccountPage() {
  const { user, service_user: isProgram, by } = useSession();
  return (
    <>
      <PageHead title="Your account" />
      <Stack maw={860}>
        <Section
          title={user.email}
          says={isProgram ? "A service user: its project's page has its token and roles." : `Signed in by ${by}.`}
        >
          {user.administrator && (
            <Text size="sm">You are an administrator of this installation: you may do everything.</Text>
          )}
        </Section>
        {!isProgram && <Tokens />}
        {!isProgram && <Password />}
        <Sessions />
      </Stack>
    </>
  );
}
