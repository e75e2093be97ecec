/** Why something that was asked of the API did not go well, in the API's own words. */

export class ApiProblem extends Error {
  constructor(
    readonly status: number, // 0: no answer came
    readonly code: string,
    message: string,
    readonly requestId: string,
    readonly retryAfterS: number | null = null,
  ) {
    super(message);
    this.name = "ApiProblem";
  }

  /** Where the sentence says that it is wrong: the API begins with it, `name: must be …`, `jwt.roles.0.claim: …`. */
  get place(): string | null {
    return /^([a-z_]+(?:\.[^:\s]+)?): /.exec(this.message)?.[1] ?? null;
  }

  /** The field of the form that this is in. */
  get field(): string | null {
    return this.place?.split(".")[0] ?? null;
  }

  /** The sentence without where. */
  get rule(): string {
    return this.place === null ? this.message : this.message.slice(this.place.length + 2);
  }

  /** Asking again may help, without anything being changed. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }

  /** Asking the same again gives the same answer, until somebody changes something. */
  get final(): boolean {
    return this.status >= 400 && this.status < 500 && this.status !== 429;
  }
}

/** No answer came. What changes something may have been done all the same. */
export function unanswered(changing: boolean): ApiProblem {
  return changing
    ? new ApiProblem(0, "unanswered", "The registry does not answer: whether this was done is not known.", "")
    : new ApiProblem(0, "unreachable", "The registry does not answer. It is asked again until it does.", "");
}

/** What somebody can do about it, where that does not follow from the sentence. */
export function advice(problem: ApiProblem): string {
  switch (problem.status) {
    case 0:
      return problem.code === "unanswered"
        ? "What you typed is kept. Once the registry is back, look whether it is done, else do it again."
        : "Check the connection, and that the registry runs.";
    case 403:
      return "Ask somebody who manages this project for a role that allows it.";
    case 412:
      return "Somebody changed it meanwhile: look at it again, then save.";
    case 429:
      return `Try again in ${problem.retryAfterS ?? 60} s.`;
    case 503:
      return "Something that this needs is away; try again shortly.";
    default:
      return problem.status >= 500 ? "The registry's log has the reason under the request id." : "";
  }
}

/** Whatever was thrown, as a problem. */
export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  return new ApiProblem(0, "unexpected", error instanceof Error ? error.message : String(error), "");
}
