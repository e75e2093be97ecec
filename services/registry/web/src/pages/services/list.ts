/** How the list of services is asked for: by its page, and before that is there. */

export const LIST = "GET /projects/{project}/services";
export const EVERY = { search: "", labels: "" };
