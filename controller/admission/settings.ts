import { createHash } from 'node:crypto';
import { LIMIT } from '#contract/limit.ts';
import { FILES_VARIABLE, POD_FILE } from '#contract/pod-shape.ts';
import { constraintSuffixes } from '#contract/register.ts';
import type { AdmissionValues } from './values.ts';

/** Public files of the release that every sidecar needs; the controller has them at run time. */
export interface ReleaseMaterial {
  /** JWK Set that verifies policy bundles. */
  readonly bundleKeys: string;
  /** PEM of the authority behind the release's own services. */
  readonly releaseAuthority: string;
}

/** What admission knows of the release, made once for many reviews. */
export interface AdmissionSettings {
  readonly values: AdmissionValues;
  /** Name constraints of pod CAs: covering suffixes. */
  readonly constraints: readonly string[];
  /** File name to text, for `FILES_VARIABLE`. */
  readonly files: Readonly<Record<string, string>>;
  readonly initImage: string;
  readonly sidecarImage: string;
  /** SHA-256 over all that shapes a pod, 16 hexadecimal digits: tells pods of another configuration. */
  readonly config: string;
}

/**
 * Prepares the settings of many reviews.
 * @param agreementHosts host patterns of all agreements
 * @throws RangeError when the agreements' hosts do not fit into a pod CA's name constraints, or the files into one variable
 */
export function compileSettings(
  values: AdmissionValues,
  material: ReleaseMaterial,
  agreementHosts: readonly string[],
): AdmissionSettings {
  const files = {
    [POD_FILE.bundleKeys]: material.bundleKeys,
    [POD_FILE.recipients]: values.audit.recipients,
    [POD_FILE.releaseAuthority]: material.releaseAuthority,
    ...(values.sidecar.upstreamRoots === '' ? {} : { [POD_FILE.upstreamRoots]: values.sidecar.upstreamRoots }),
  };
  if (JSON.stringify(files).length > LIMIT.settingsFilesBytes)
    throw new RangeError(
      `audit.recipients and sidecar.upstreamRoots hold more than the ${LIMIT.settingsFilesBytes} characters that a pod can carry: keep only what is needed`,
    );
  const constraints = constraintSuffixes(agreementHosts);
  const shape = JSON.stringify([FILES_VARIABLE, files, constraints, values]);
  return {
    values,
    constraints,
    files,
    initImage: imageReference(values, values.init.image),
    sidecarImage: imageReference(values, values.sidecar.image),
    config: createHash('sha256').update(shape).digest('hex').slice(0, 16),
  };
}

function imageReference(values: AdmissionValues, image: AdmissionValues['sidecar']['image']): string {
  const registry = values.global.imageRegistry.replace(/\/$/, '');
  const tag = image.tag === '' ? '' : `:${image.tag}`;
  const digest = image.digest === '' ? '' : `@${image.digest}`;
  return `${registry === '' ? '' : `${registry}/`}${image.repository}${tag}${digest}`;
}
