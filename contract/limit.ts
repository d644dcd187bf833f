/** Every bound of the product by name. Reaching one is counted and refuses; nothing grows without a line here. Bytes and milliseconds. */
export const LIMIT = {
  /** One request body. */
  bodyBytes: 32 * 1024 * 1024,
  /** Request bodies in flight together; more waits `bodyWaitMs`, then `busy`. */
  bodiesBytes: 48 * 1024 * 1024,
  bodyWaitMs: 2_000,
  /** Beyond this size request bodies are examined and recorded one at a time. */
  largeBodyBytes: 1024 * 1024,
  /** How long a large body waits unread for the one before it, whose sender may be slow. */
  largeBodyWaitMs: 8_000,
  /** A ClientHello or HTTP head must be complete within this time. */
  classifyMs: 5_000,
  clientHelloBytes: 64 * 1024,
  headerBytes: 64 * 1024,
  /** One event of a response stream, and one restored text lane's holdback. */
  eventBytes: 4 * 1024 * 1024,
  /** A plain (not streamed) response body. */
  responseBytes: 32 * 1024 * 1024,
  /** TLS contexts kept for leaf certificates. */
  leafCache: 256,
  connections: 4_096,
  /** A TLS handshake, and a client's reading of a last word before its connection is closed. */
  handshakeMs: 10_000,
  farewellMs: 2_000,
  /** Between the error event of a cut answer and the cut: many clients drop what they have not read when they see one. */
  cutMs: 250,
  /** The head of a request on a terminated connection, and an idle one (longer than the pools of clients keep theirs). */
  headersMs: 60_000,
  keepAliveMs: 310_000,
  /** Silence on a TCP connection after which the other side is asked whether it still lives. */
  tcpKeepAliveMs: 60_000,
  h2Streams: 1_000,
  h2StreamWindowBytes: 1024 * 1024,
  h2SessionWindowBytes: 8 * 1024 * 1024,
  /** Bytes that the requests and answers of one HTTP/2 session hold in memory, in MB; reaching it refuses new streams. */
  h2SessionMegabytes: 64,
  /** Clear HTTP/2 that is followed: the encoder's dynamic table, and the decoded fields of one header block. */
  hpackTableBytes: 64 * 1024,
  hpackFieldBytes: 256 * 1024,
  nameConstraintBytes: 4 * 1024,
  jsonDepth: 128,
  /** Values of one JSON text, keys included: a body of brackets and commas must not cost a hundred times its size. */
  jsonValues: 2_000_000,
  /** Identifiers of one request, each place counted (what is known of one costs about a kilobyte while a request is examined), different
   * ones among them, each with its entry in the vault, and pieces of text that are examined by themselves (values of JSON, rows, lines). */
  identifiers: 100_000,
  distinctIdentifiers: 25_000,
  segments: 250_000,
  /** Text that is examined together (UTF-16 units): longer ones are examined piece by piece, for what is known of each word takes as much again. */
  examinedChars: 256 * 1024,
  /** What the detector keeps between two texts, so that small ones allocate nothing: code units of a text, and tokens. */
  keptUnits: 32_768,
  keptTokens: 65_536,
  /** A deployer's lists: entries of one table, words of one entry, tables together, their bytes together, between two looks at them. */
  listEntries: 1_000_000,
  listWords: 8,
  listTables: 8,
  listBytes: 32 * 1024 * 1024,
  listPollMs: 1_000,
  /** Text lanes of one response stream that are open together: content blocks, choices, tool calls. */
  streamLanes: 1_024,
  /** Digests of signed thinking that a sidecar remembers, and thinking of one answer (characters) that it takes in. */
  thinkingBlocks: 8_192,
  thinkingChars: 1024 * 1024,
  /** Spool: warn at 70 %, refuse new exchanges at 85 % of the quota. */
  spoolBytes: 256 * 1024 * 1024,
  spoolWarn: 0.7,
  spoolRefuse: 0.85,
  segmentBytes: 8 * 1024 * 1024,
  segmentMs: 60_000,
  /** One frame of a segment: a sealed part in base64url with its header. */
  frameBytes: 2 * 1024 * 1024,
  /** Sealed bytes written and not yet durable; a response that is ahead of the disk waits. */
  spoolPendingBytes: 2 * 1024 * 1024,
  /** A group of frames up to this size is written without leaving the thread; larger ones by a thread of the pool. */
  spoolInlineBytes: 64 * 1024,
  /** Wait before a failed spool is tried again on a new segment. */
  spoolRetryMs: 1_000,
  checkpointMs: 1_000,
  checkpointIdleMs: 60_000,
  /** Recipients of a content key (an auditor, an escrow, their successors during a rotation). */
  recipients: 8,
  /** Largest sealed part of a record; while a response streams, parts are smaller and at most `streamPartMs` old. */
  partBytes: 1024 * 1024,
  streamPartBytes: 64 * 1024,
  streamPartMs: 1_000,
  /** A durable write that takes longer refuses the exchange. */
  durableMs: 10_000,
  shipTimeoutMs: 30_000,
  /** One batch of frames to the collector (at least one frame), and what the collector may answer. */
  shipBytes: 1024 * 1024,
  shipAnswerBytes: 64 * 1024,
  /** Between two batches, so that a busy pod sends several records at once. */
  shipIntervalMs: 200,
  /** More than this unsent is a backlog, and goes out without pauses. The shortest first wait after a batch failed. */
  shipBacklogBytes: 256 * 1024,
  shipRetryMs: 250,
  /** Collector: chains, and segments of one, whose state is kept in memory, batches in work together, copies of conflicting bytes kept a chain. */
  collectorChains: 4_096,
  collectorSegments: 64,
  collectorBatches: 32,
  collectorConflicts: 16,
  /** Enrolments in work together, reviews of tokens (one may take this long), and how many good answers are remembered for how long. */
  collectorEnrolments: 8,
  enrolBytes: 16 * 1024,
  tokenReviewMs: 5_000,
  tokenReviewBytes: 64 * 1024,
  podProofs: 1_024,
  podProofMs: 30_000,
  /** The controller's list of chains that must exist, and the keys of the controller that stay published. */
  expectedBytes: 32 * 1024 * 1024,
  controllerKeys: 8,
  /** Chains in that list: with all of them it fits into `expectedBytes`. Reaching it is counted and told; nothing that stands is dropped. */
  expectedChains: 50_000,
  /** A pod that lives longer than this and of which the collector has nothing is a finding. */
  firstShipMs: 300_000,
  /** lazaret doctor: one answer of the API server, how long it may take, and objects of one kind that are read. */
  doctorAnswerBytes: 64 * 1024 * 1024,
  doctorAnswerMs: 15_000,
  doctorObjects: 100_000,
  /** Between two looks at mounted certificate files. */
  tlsReloadMs: 10_000,
  /** Between two writings of the list of chains, and before a failed one is tried again. */
  expectedMs: 60_000,
  expectedRetryMs: 5_000,
  /** What the collector may answer with the list or its manifest, and how long that may take. */
  collectorAnswerBytes: 64 * 1024 * 1024,
  collectorAnswerMs: 30_000,
  /** Between two writings of the collector's signed manifest and receipts. */
  manifestMs: 1_000,
  shipBackoffMs: 60_000,
  policyStaleMs: 24 * 3_600_000,
  policyWarnMs: 12 * 3_600_000,
  /** A signed policy bundle or the source of one. */
  bundleBytes: 4 * 1024 * 1024,
  /** Entries of one list of a policy resource. */
  policyListEntries: 1_024,
  bundlePollMs: 1_000,
  /** Different faults that are reported until a bundle is taken again. */
  bundleFaults: 32,
  /** How long the controller holds a request for a bundle until something changes; an answer that takes longer is given up. */
  bundleWaitMs: 30_000,
  bundleRequestMs: 45_000,
  /** The shortest and the longest wait of a sidecar before it asks again after a fault. */
  bundleRetryMs: 250,
  bundleBackoffMs: 15_000,
  /** The token by which a pod proves itself. */
  tokenBytes: 16 * 1024,
  /** A bundle in force that is older than this is signed anew, though nothing changed. */
  bundleRenewMs: 3_600_000,
  /** Sidecars that one controller serves at a time, and idle connections beyond a held request. */
  bundleCallers: 4_096,
  bundleIdleMs: 75_000,
  /** A signed bundle is given to every caller with the same policy for this long, so that a change costs one signature for each policy. */
  bundleShareMs: 2_000,
  /** Signed bundles that are kept for that time, and callers that are answered together before the next ones are looked at. */
  signedBundles: 128,
  bundleSlice: 32,
  /** How long a pod that the API server vouches for may be missing from the controller's view. */
  bundlePodMs: 5_000,
  /** How long a proof holds at the controller, at most until its token ends, and reviews of tokens that are in flight together. */
  bundleProofMs: 60_000,
  tokenReviews: 64,
  /** Between two fresh lists of policy for callers that know more than the controller. */
  policyRefreshMs: 1_000,
  /** Between two readings of all resources while they change, and between two looks at pods. */
  policyReadMs: 200,
  podLookMs: 250,
  /** Compiled policies that are kept: one for each namespace and set of labels that policy looks at. */
  compiledPolicies: 16_384,
  /** Between two rounds over the status of resources, and the longest wait before the clock is looked at again. */
  statusMs: 5_000,
  turnMs: 60_000,
  /** Fields that a condition's message names, and its length (apimachinery's bound is 32768). */
  conditionFaults: 8,
  conditionChars: 2_048,
  /** An agreement or exemption that ends within this time is expiring. */
  expiringMs: 30 * 24 * 3_600_000,
  /** The content of the ConfigMap of exemptions; the API server takes no more than 1 MiB. */
  exemptionsBytes: 1_000_000,
  /** How far a signer's clock may be ahead of ours: hours, because a revocation must arrive whatever a node's clock says. */
  clockSkewMs: 12 * 3_600_000,
  /** Keys whose provider account was not covered; reaching it bars every key. */
  barredKeys: 1_024,
  upstreamConnectMs: 10_000,
  drainMs: 25_000,
  dnsCacheMs: 30_000,
  dnsNames: 1_024,
  /** lazaret-init: entries of one list setting, the operator's roots, and how long nft and each probe may take. */
  initListEntries: 64,
  extraRootsBytes: 4 * 1024 * 1024,
  /** The files that lazaret-init gets by one environment variable; the kernel takes none of more than 128 KiB (execve(2), MAX_ARG_STRLEN). */
  settingsFilesBytes: 120 * 1024,
  nftMs: 20_000,
  probeMs: 5_000,
  /** Between two looks for sockets under the sidecar's uid that are not its own. */
  foreignSocketMs: 2_000,
  /** Admission: one review, items of one list of a pod, faults that one denial names, and the age and clock skew of a mark. */
  admissionBytes: 4 * 1024 * 1024,
  admissionListEntries: 16_384,
  admissionFaults: 16,
  admissionMarkMs: 15_000,
  admissionSkewMs: 2_000,
  /** Controller: one answer of the API server, one event of a watch, the chart's values, objects of a page of a list, one request. */
  apiAnswerBytes: 64 * 1024 * 1024,
  apiEventBytes: 8 * 1024 * 1024,
  valuesBytes: 1024 * 1024,
  apiPage: 200,
  apiRequestMs: 15_000,
  /** A watch asks for a new one after this time, and is given up when it says nothing for so long (bookmarks come each minute). */
  watchMs: 300_000,
  watchSilenceMs: 150_000,
  /** The shortest first wait and the longest wait before the API server is asked again after a fault. */
  watchRetryMs: 250,
  watchBackoffMs: 15_000,
  /** Between two looks for a DNS Service that the cluster does not have yet. */
  resolversMs: 30_000,
  /** Webhook: how long a review waits for what the watches have not shown, how many wait, connections; one request with its body. */
  admissionWaitMs: 2_000,
  admissionWaiters: 256,
  admissionConnections: 1_024,
  admissionRequestMs: 10_000,
  /** Earlier settings are accepted so long, so many. New ones: until API servers heard; until used unheard; how long a pod waits. */
  previousSettingsMs: 900_000,
  previousSettings: 4,
  settingsHeardMs: 2_000,
  settingsWaitMs: 30_000,
  settingsHoldMs: 5_000,
  /** At a stop: time for endpoints to be withdrawn while reviews are still answered, then for those in work. */
  webhookGraceMs: 5_000,
  webhookDrainMs: 20_000,
  /** How often certificates, keys and the webhooks' caBundle are looked at. */
  servingCheckMs: 10_000,
  /** Leadership: a lease not renewed for so long is free; how often it is renewed and asked for; when a holder gives up. */
  leaseMs: 15_000,
  leaseRenewMs: 5_000,
  leaseRetryMs: 2_000,
  leaseGiveUpMs: 10_000,
  /** The release's authority: its time, when the next one follows, announced before it signs. Leaves: the controller's, the collector's. */
  authorityMs: 3 * 365 * 24 * 3_600_000,
  authorityRenewMs: 365 * 24 * 3_600_000,
  authorityAnnounceMs: 3_600_000,
  leafMs: 7 * 24 * 3_600_000,
  collectorLeafMs: 30 * 24 * 3_600_000,
  /** Earlier roots stay in the trust bundle this long after they signed their last leaf. */
  authorityRetireMs: 31 * 24 * 3_600_000,
  /** How long the list of expected chains names a pod that has ended: six years, as documentation is kept (45 CFR 164.316(b)(2)). */
  expectedKeptMs: 2_192 * 24 * 3_600_000,
} as const;
