/** The audit trail of a project. */
import { useParams } from "wouter";
import { PageHead } from "@/components/PageHead";
import { AuditTrail } from "./AuditTrail";

export default function AuditPage() {
  const { project = "" } = useParams();
  return (
    <>
      <PageHead title="Audit trail" />
      <AuditTrail path={{ project }} />
    </>
  );
}
