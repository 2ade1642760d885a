/** The statuses by which a service says that there is no such thing. */

/** Whether a status is 404 (Not Found) or 410 (Gone): RFC 9110, 15.5.5 and 15.5.11. */
export function saysAbsent(status: number | undefined): status is 404 | 410 {
  return status === 404 || status === 410;
}
