/** Ports of a guarded pod. */
export const POD_PORT = {
  /** Where the packet rules send the pod's outbound TCP; on 127.0.0.1 and ::1 only, or the sidecar would be an open proxy. */
  intercept: 15_001,
  /** Metrics and health, on the pod's addresses. */
  ops: 15_020,
} as const;

/** Where a guarded pod keeps the guard's volumes. */
export const POD_PATH = {
  /** Public trust files; read-only in application containers. */
  trust: '/run/lazaret/trust',
  /** The pod CA's private half; mounted in our two containers only. */
  authority: '/run/lazaret/ca',
  /** Sealed evidence that was not yet shipped. */
  spool: '/var/lib/lazaret/spool',
} as const;

/** What `lazaret-init` leaves in the private directory for the sidecar; PEM, mode 0400, owned by the sidecar's uid. */
export interface AuthorityPaths {
  readonly intermediateCertificate: string;
  /** PKCS #8, P-256: signs leaf certificates. */
  readonly intermediateKey: string;
  /** PKCS #8, P-256: the one key of all leaf certificates. */
  readonly leafKey: string;
  /** JSON, written last: the name constraints of this authority. Its absence means that the others are not complete. */
  readonly complete: string;
}

/** The public trust files that applications are pointed at. */
export interface TrustPaths {
  readonly dir: string;
  /** PEM: public roots, the operator's roots and the pod root. For settings that replace a client's roots. */
  readonly allRoots: string;
  /** PEM: the operator's roots and the pod root. For settings that add to a client's roots. */
  readonly addedRoots: string;
  /** PEM: the pod root alone. */
  readonly podRoot: string;
  /** A directory in OpenSSL's form that holds the pod root under its subject hash. */
  readonly hashedDir: string;
  readonly hashedPodRoot: string;
  /** A directory with one PHP configuration fragment. */
  readonly phpDir: string;
  readonly phpIni: string;
  /** `allRoots` as a Java key store (JKS). */
  readonly javaStore: string;
}

/** The subject of every pod root. It never changes, so that OpenSSL's hash of it can be a file name known in advance. */
export const POD_ROOT_SUBJECT = 'Lazaret pod root';

/** `X509_NAME_hash` of `CN=Lazaret pod root` (OpenSSL `x509 -subject_hash`). */
export const POD_ROOT_SUBJECT_HASH = '8404b156';

/** @param dir the private directory, without a trailing slash */
export function authorityPaths(dir: string): AuthorityPaths {
  return {
    intermediateCertificate: `${dir}/intermediate.pem`,
    intermediateKey: `${dir}/intermediate.key`,
    leafKey: `${dir}/leaf.key`,
    complete: `${dir}/complete.json`,
  };
}

/** @param dir the shared trust directory, without a trailing slash */
export function trustPaths(dir: string): TrustPaths {
  return {
    dir,
    allRoots: `${dir}/all-roots.pem`,
    addedRoots: `${dir}/added-roots.pem`,
    podRoot: `${dir}/pod-root.pem`,
    hashedDir: `${dir}/hashed`,
    hashedPodRoot: `${dir}/hashed/${POD_ROOT_SUBJECT_HASH}.0`,
    phpDir: `${dir}/php`,
    phpIni: `${dir}/php/lazaret.ini`,
    javaStore: `${dir}/all-roots.jks`,
  };
}
