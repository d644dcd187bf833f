/**
 * The provider features that the vendors' own documents count as eligible under their agreements (agreements of mid-2026;
 * re-verify every quarter). What is not here needs `allowFeatures` in the ProviderAgreement, as a contract may say more.
 */
const ELIGIBLE: readonly (readonly [dialects: string, features: readonly string[]])[] = [
  [
    'anthropic-',
    [
      'tool:bash',
      'tool:text_editor',
      'tool:memory',
      // Without dynamic filtering, which has a feature of its own.
      'tool:web_search',
      'beta:context-1m-*',
      'beta:effort-*',
      'beta:extended-cache-ttl-*',
      'beta:fast-mode-*',
      'beta:fine-grained-tool-streaming-*',
      'beta:interleaved-thinking-*',
      'beta:model-context-window-exceeded-*',
      // Sent along with OAuth tokens; whether such a token is covered is the credential's check.
      'beta:oauth-*',
      'beta:output-128k-*',
      'beta:output-300k-*',
      'beta:pdfs-*',
      'beta:prompt-caching-*',
      'beta:search-results-*',
      'beta:structured-outputs-*',
      'beta:token-counting-*',
      'beta:token-efficient-tools-*',
    ],
  ],
  // Chat Completions: what is stored, searched or moderated beyond the exchange is outside zero retention.
  ['openai-', []],
];

/**
 * The features that a dialect's provider counts as eligible.
 * @param dialect id of the dialect, such as `anthropic-messages`
 * @returns globs over feature names; empty for a dialect without a published list
 */
export function eligibleFeatures(dialect: string): readonly string[] {
  return ELIGIBLE.find(([prefix]) => dialect.startsWith(prefix))?.[1] ?? [];
}
