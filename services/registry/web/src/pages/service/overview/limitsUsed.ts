/** How much of a service's limits, those for everybody together, was used over time. Pure. */
import type { ServiceChart, ServiceDetail } from "@/api/schema";
import type { Line } from "@/components/TimeChart";

type Limits = Pick<ServiceDetail, "rate_limit" | "concurrency_limit">;

/** As shares of one; a line for each limit that is set. */
export function limitsUsed(chart: ServiceChart, { rate_limit: rate, concurrency_limit: most }: Limits): Line[] {
  const lines: Line[] = [];
  if (rate) {
    const allowed = (rate * chart.period_s) / 60;
    lines.push({
      label: "requests a minute",
      values: admitted(chart).map((count) => of(count, allowed)),
      color: "blue",
    });
  }
  if (most) {
    lines.push({ label: "under way", values: chart.in_flight.map((count) => of(count, most)), color: "violet" });
  }
  return lines;
}

/** Those that no limit refused: they are what counts against one. */
function admitted({ times, by_class, limited }: ServiceChart): (number | null)[] {
  const classes = Object.values(by_class);
  return times.map((_, at) => {
    const counts = classes.map((counts) => counts[at] ?? null).filter((count) => count !== null);
    return counts.length ? counts.reduce((sum, count) => sum + count, 0) - (limited[at] ?? 0) : null;
  });
}

function of(count: number | null, limit: number): number | null {
  return count === null ? null : count / limit;
}
