/** The part of a policy that decides connections, before any request is seen. Hosts are patterns as `hostMatches` reads them. */
export interface ConnectionPolicy {
  /** Destinations that may be reached without examination; never an LLM host. */
  readonly destinations: readonly string[];
  /** Hosts of agreements, self-hosted models among them: always terminated. */
  readonly agreementHosts: readonly string[];
  /** Ranges of the cluster that count as private beside the reserved ones, in CIDR notation. */
  readonly clusterCidrs: readonly string[];
  /** Addresses of the resolvers that TCP port 53 may reach. */
  readonly resolvers: readonly string[];
  /** Monitor: nothing is stopped, what enforce would have done is recorded. */
  readonly monitor: boolean;
}
