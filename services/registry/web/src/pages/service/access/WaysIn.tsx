/** In a few lines, what a caller can bring. Changed under Settings. */
import { Anchor, Badge, Group, List } from "@mantine/core";
import { Link } from "wouter";
import type { RoleClaimBody, ServiceDetail } from "@/api/schema";
import { Section } from "@/components/Section";
import type { TabProps } from "../tabs";

export function WaysIn({ project, service }: TabProps) {
  return (
    <Section
      title="Ways in"
      says={
        <>
          What a caller can bring.{" "}
          <Anchor component={Link} href={`/projects/${project}/services/${service.name}/settings`} inherit>
            Change it under Settings.
          </Anchor>
        </>
      }
    >
      {!service.authentication_required && (
        <Group mb="xs">
          <Badge color="yellow">public</Badge>
        </Group>
      )}
      <List size="sm" spacing={4}>
        {ways(service).map((way) => (
          <List.Item key={way}>{way}</List.Item>
        ))}
      </List>
    </Section>
  );
}

function ways(service: ServiceDetail): string[] {
  const { jwt, client_certificates: certificates, ip_allow, ip_deny } = service;
  const names = (certificates?.names as string[] | undefined) ?? [];
  const roles = [...new Set(((jwt?.roles ?? []) as RoleClaimBody[]).map(({ role }) => role))];
  return [
    !service.authentication_required && "Everybody who reaches the address: no token is asked for",
    service.authentication_required &&
      service.authentication_method_token_enabled &&
      "A token of somebody with a role that allows to call it",
    jwt &&
      `A JSON Web Token of ${jwt.issuer}${roles.length ? `, whose claims stand for a role that may call: ${roles.join(", ")}` : ""}`,
    certificates &&
      `A client certificate that a known authority has signed${names.length ? `, of ${names.join(", ")}` : ""}`,
    service.browser_sign_in && "In a browser, by signing in",
    ip_allow.length > 0 && `Only from ${ip_allow.join(", ")}`,
    ip_deny.length > 0 && `Never from ${ip_deny.join(", ")}`,
  ].filter((way) => typeof way === "string" && way !== "") as string[];
}
