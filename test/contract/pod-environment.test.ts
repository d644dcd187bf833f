import { describe, expect, it } from 'vitest';
import { mergeEnvironment, podEnvironment } from '#contract/pod-environment.ts';
import { POD_PATH, trustPaths } from '#contract/pod-paths.ts';

const PATHS = trustPaths(POD_PATH.trust);
const OURS = podEnvironment(PATHS);
const valueOf = (name: string, environment = OURS): string | undefined =>
  environment.findLast((variable) => variable.name === name)?.value;

describe('environment of an application container', () => {
  it('points every setting that replaces roots at the full bundle', () => {
    const full = OURS.filter(({ value }) => value === PATHS.allRoots).map(({ name }) => name);
    expect(full).toEqual([
      'SSL_CERT_FILE',
      'REQUESTS_CA_BUNDLE',
      'CURL_CA_BUNDLE',
      'AWS_CA_BUNDLE',
      'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
      'GIT_SSL_CAINFO',
      'PIP_CERT',
      'CARGO_HTTP_CAINFO',
      'NIX_SSL_CERT_FILE',
      'HTTPLIB2_CA_CERTS',
      'CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE',
      'npm_config_cafile',
    ]);
  });

  it('points the settings that add roots at the small bundle', () => {
    expect(valueOf('NODE_EXTRA_CA_CERTS')).toBe(PATHS.addedRoots);
    expect(valueOf('DENO_CERT')).toBe(PATHS.addedRoots);
  });

  it('names no proxy and no base URL', () => {
    expect(OURS.map(({ name }) => name).filter((name) => /proxy|base_?url|endpoint/i.test(name))).toEqual([]);
  });

  it("keeps an application's own Java options and PHP directories, with ours behind them", () => {
    const own = [
      { name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g -Djavax.net.ssl.trustStore=/own.jks' },
      { name: 'PHP_INI_SCAN_DIR', value: '/own/conf.d' },
    ];
    const { environment, replaced } = mergeEnvironment(own, OURS);
    expect(valueOf('JAVA_TOOL_OPTIONS', environment)).toBe(
      `-Xmx1g -Djavax.net.ssl.trustStore=/own.jks -Djavax.net.ssl.trustStore=${PATHS.javaStore}`,
    );
    expect(valueOf('PHP_INI_SCAN_DIR', environment)).toBe(`/own/conf.d:${PATHS.phpDir}`);
    expect(replaced).toEqual([]);
  });

  it('takes the place of any other value and says so', () => {
    const own = [
      { name: 'SSL_CERT_FILE', value: '/corporate.pem' },
      { name: 'DENO_CERT', value: PATHS.addedRoots },
      { name: 'TZ', value: 'UTC' },
    ];
    const { environment, replaced } = mergeEnvironment(own, OURS);
    expect(valueOf('SSL_CERT_FILE', environment)).toBe(PATHS.allRoots);
    expect(valueOf('TZ', environment)).toBe('UTC');
    expect(replaced).toEqual(['SSL_CERT_FILE']);
  });

  it('keeps the order of what was there, and is the same after a second merge', () => {
    const own = [
      { name: 'B', value: '2' },
      { name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' },
      { name: 'A', value: '1' },
    ];
    const once = mergeEnvironment(own, OURS).environment;
    expect(once.slice(0, 3).map(({ name }) => name)).toEqual(['B', 'JAVA_TOOL_OPTIONS', 'A']);
    expect(mergeEnvironment(once, OURS)).toEqual({ environment: once, replaced: [] });
  });
});
