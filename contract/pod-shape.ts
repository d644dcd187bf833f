import { POD_PATH } from './pod-paths.ts';

/** Directories of a guarded pod beside those of `POD_PATH`; none of them is mounted in an application. */
export const POD_DIRECTORY = {
  /** What `lazaret-init` writes for the sidecar from its settings, and the last policy bundle. */
  settings: '/run/lazaret/settings',
  /** The service account token by which the sidecar proves its pod. */
  token: '/run/lazaret/token',
  /** The operator's own roots. */
  extraRoots: '/run/lazaret/extra-roots',
} as const;

/**
 * The environment variable of `lazaret-init` that carries public files to the sidecar: a JSON object, file name to text.
 * A container's environment is part of the pod's specification and cannot be changed afterwards, as an annotation or a
 * ConfigMap of the application's namespace could.
 */
export const FILES_VARIABLE = 'LAZARET_FILES';

/** The files of `FILES_VARIABLE`, in `POD_DIRECTORY.settings`. */
export const POD_FILE = {
  /** JWK Set: verifies policy bundles. */
  bundleKeys: 'bundle-keys.jwks',
  /** JWK Set: the auditor's and the escrow's public keys. */
  recipients: 'recipients.jwks',
  /** PEM: the authority of the release's own services. */
  releaseAuthority: 'release-ca.pem',
  /** PEM: further roots for connections to providers, where a corporate proxy re-signs them. */
  upstreamRoots: 'upstream-roots.pem',
} as const;

/** Where the sidecar keeps the last policy bundle that it verified. */
export const BUNDLE_FILE = `${POD_DIRECTORY.settings}/bundle.jws`;

/** Where the sidecar finds its token. */
export const TOKEN_FILE = `${POD_DIRECTORY.token}/token`;

/** Sizes of the memory and disk volumes, as Kubernetes quantities. */
export const VOLUME_SIZE = { trust: '32Mi', authority: '4Mi', settings: '16Mi', spool: '384Mi' } as const;

/** Paths at or below which an application mounts nothing of its own. */
export const GUARDED_PATHS: readonly string[] = ['/run/lazaret', '/var/run/lazaret', POD_PATH.spool];
