/** JSON Web Tokens and client certificates as a form holds them, and as the API takes them. Pure. */
import { broken, ruleOf } from "@/api/rule";
import type { ClientCertificatesBody, JwtBody, RoleClaimBody, ServiceDetail } from "@/api/schema";

type Stored = ServiceDetail["jwt"];

export interface Claim {
  claim: string;
  values: string[];
}

export interface Jwt {
  issuer: string;
  audience: string;
  keys_url: string;
  user_claim: string;
  required_claims: Claim[];
  roles: RoleClaimBody[];
}

export type Certificates = Required<ClientCertificatesBody>;

export interface Doors {
  jwt: Jwt | null; // null: no way in
  client_certificates: Certificates | null;
}

const USUAL_CLAIM = "sub";
const URL = /^https?:\/\/[A-Za-z0-9.\-:[\]]{1,253}(\/[!-~]*)?$/;

export function jwtOf(stored: Stored): Jwt | null {
  if (stored === null) return null;
  const { issuer, audience, keys_url, user_claim, required_claims, roles } = stored as Partial<JwtBody>;
  return {
    issuer: issuer ?? "",
    audience: audience ?? "",
    keys_url: keys_url ?? "",
    user_claim: user_claim ?? USUAL_CLAIM,
    required_claims: Object.entries(required_claims ?? {}).map(([claim, values]) => ({
      claim,
      values: values as string[],
    })),
    roles: roles ?? [],
  };
}

export function jwtBody(jwt: Jwt | null): JwtBody | null {
  return (
    jwt && {
      ...jwt,
      keys_url: jwt.keys_url || null,
      user_claim: jwt.user_claim || USUAL_CLAIM,
      required_claims: Object.fromEntries(jwt.required_claims.map(({ claim, values }) => [claim, values])),
    }
  );
}

export function certificatesOf(stored: Stored): Certificates | null {
  return stored && { authorities: "", user: "common_name", names: [], ...stored };
}

/** What is wrong with them, each at its place: `jwt.roles.0.claim`. */
export function doorProblems({ jwt, client_certificates: door }: Doors): Record<string, string | null> {
  return { ...(jwt && jwtProblems(jwt)), ...(door && certificateProblems(door)) };
}

function jwtProblems(jwt: Jwt): Record<string, string | null> {
  const plain = (["issuer", "audience", "keys_url", "user_claim"] as const).map((name) => {
    const url = name === "issuer" || name === "keys_url" ? urlProblem(jwt[name]) : null;
    return [`jwt.${name}`, broken(claimRule(name), jwt[name]) ?? url] as const;
  });
  const claims = (["required_claims", "roles"] as const).flatMap((list) =>
    jwt[list].flatMap((each, number) => [
      [`jwt.${list}.${number}.claim`, broken(CLAIM, each.claim)] as const,
      [`jwt.${list}.${number}.values`, each.values.length ? null : "must be given"] as const,
    ]),
  );
  const roles = jwt.roles.map(
    ({ role }, number) => [`jwt.roles.${number}.role`, role ? null : "must be given"] as const,
  );
  const names = jwt.required_claims.map(({ claim }) => claim);
  const twice = names.flatMap((claim, number) =>
    names.indexOf(claim) < number ? [[`jwt.required_claims.${number}.claim`, "is there twice"] as const] : [],
  );
  return Object.fromEntries([...plain, ...claims, ...roles, ...twice]);
}

function certificateProblems({ authorities, names }: Certificates): Record<string, string | null> {
  const rule = broken(ruleOf("ClientCertificatesBody", "authorities"), authorities);
  return {
    "client_certificates.authorities": rule ?? pemProblem(authorities),
    "client_certificates.names": broken(ruleOf("ClientCertificatesBody", "names"), names),
  };
}

const CLAIM = { ...ruleOf("RoleClaimBody", "claim"), rule: "must be a claim, or path.to.it, without spaces" };

function claimRule(name: string) {
  return name === "user_claim" ? { ...CLAIM, required: false } : ruleOf("JwtBody", name);
}

function urlProblem(text: string): string | null {
  const fine = text === "" || (URL.test(text) && !/[#@]/.test(text));
  return fine ? null : "must be an http or https URL without user, password and fragment";
}

/** What can be told without reading certificates; the API looks into them. */
function pemProblem(text: string): string | null {
  if (text.includes("PRIVATE KEY-----"))
    return "holds a private key, which nobody else may see; give certificates only";
  const whole = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.test(text);
  return whole ? null : "must be certificates in PEM, each from BEGIN CERTIFICATE to END CERTIFICATE";
}
