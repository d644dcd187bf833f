import type { JsonObject, Maybe } from './json.ts';

/**
 * The fields of a pod that admission reads. The objects are the raw ones of the review: every other field stays in them.
 * A pod has this type only after `checkPodShape`.
 */
export interface Pod extends JsonObject {
  readonly metadata?: Maybe<PodMetadata>;
  readonly spec?: Maybe<PodSpec>;
}

export interface PodMetadata extends JsonObject {
  readonly name?: Maybe<string>;
  readonly generateName?: Maybe<string>;
  readonly namespace?: Maybe<string>;
  readonly labels?: Maybe<TextMap>;
  readonly annotations?: Maybe<TextMap>;
}

export interface PodSpec extends JsonObject {
  readonly containers?: Maybe<readonly Container[]>;
  readonly initContainers?: Maybe<readonly Container[]>;
  readonly ephemeralContainers?: Maybe<readonly Container[]>;
  readonly volumes?: Maybe<readonly Volume[]>;
  readonly securityContext?: Maybe<PodSecurity>;
  readonly hostNetwork?: Maybe<boolean>;
  readonly hostPID?: Maybe<boolean>;
  readonly hostIPC?: Maybe<boolean>;
  readonly hostUsers?: Maybe<boolean>;
  readonly shareProcessNamespace?: Maybe<boolean>;
  readonly dnsPolicy?: Maybe<string>;
  readonly dnsConfig?: Maybe<DnsConfig>;
  readonly hostAliases?: Maybe<readonly HostAlias[]>;
  readonly os?: Maybe<NamedItem>;
  readonly nodeSelector?: Maybe<TextMap>;
  readonly affinity?: Maybe<Affinity>;
  readonly tolerations?: Maybe<readonly Toleration[]>;
  readonly runtimeClassName?: Maybe<string>;
  readonly terminationGracePeriodSeconds?: Maybe<number>;
}

export type TextMap = { readonly [key: string]: Maybe<string> };

export interface NamedItem extends JsonObject {
  readonly name?: Maybe<string>;
}

export interface Container extends NamedItem {
  readonly image?: Maybe<string>;
  readonly command?: Maybe<readonly string[]>;
  readonly args?: Maybe<readonly string[]>;
  readonly env?: Maybe<readonly Variable[]>;
  readonly envFrom?: Maybe<readonly JsonObject[]>;
  readonly volumeMounts?: Maybe<readonly Mount[]>;
  readonly volumeDevices?: Maybe<readonly NamedItem[]>;
  readonly ports?: Maybe<readonly ContainerPort[]>;
  readonly securityContext?: Maybe<ContainerSecurity>;
  readonly targetContainerName?: Maybe<string>;
}

export interface Variable extends NamedItem {
  readonly value?: Maybe<string>;
  readonly valueFrom?: Maybe<JsonObject>;
}

export interface Mount extends NamedItem {
  readonly mountPath?: Maybe<string>;
  readonly subPath?: Maybe<string>;
  readonly subPathExpr?: Maybe<string>;
  readonly readOnly?: Maybe<boolean>;
}

export interface ContainerPort extends NamedItem {
  readonly containerPort?: Maybe<number>;
}

export interface WindowsOptions extends JsonObject {
  readonly runAsUserName?: Maybe<string>;
}

export interface ContainerSecurity extends JsonObject {
  readonly privileged?: Maybe<boolean>;
  readonly allowPrivilegeEscalation?: Maybe<boolean>;
  readonly runAsUser?: Maybe<number>;
  readonly runAsGroup?: Maybe<number>;
  readonly procMount?: Maybe<string>;
  readonly windowsOptions?: Maybe<WindowsOptions>;
  readonly capabilities?: Maybe<Capabilities>;
}

export interface Capabilities extends JsonObject {
  readonly add?: Maybe<readonly string[]>;
  readonly drop?: Maybe<readonly string[]>;
}

export interface PodSecurity extends JsonObject {
  readonly runAsUser?: Maybe<number>;
  readonly runAsGroup?: Maybe<number>;
  readonly fsGroup?: Maybe<number>;
  readonly supplementalGroups?: Maybe<readonly number[]>;
  readonly sysctls?: Maybe<readonly NamedItem[]>;
  readonly windowsOptions?: Maybe<WindowsOptions>;
}

export interface Volume extends NamedItem {
  readonly hostPath?: Maybe<JsonObject>;
  readonly flexVolume?: Maybe<JsonObject>;
  readonly gitRepo?: Maybe<JsonObject>;
  readonly projected?: Maybe<Projected>;
}

export interface Projected extends JsonObject {
  readonly sources?: Maybe<readonly ProjectedSource[]>;
}

export interface ProjectedSource extends JsonObject {
  readonly serviceAccountToken?: Maybe<TokenSource>;
}

export interface TokenSource extends JsonObject {
  readonly audience?: Maybe<string>;
}

export interface DnsConfig extends JsonObject {
  readonly nameservers?: Maybe<readonly string[]>;
}

export interface HostAlias extends JsonObject {
  readonly ip?: Maybe<string>;
  readonly hostnames?: Maybe<readonly string[]>;
}

export interface Toleration extends JsonObject {
  readonly key?: Maybe<string>;
}

export interface Affinity extends JsonObject {
  readonly nodeAffinity?: Maybe<NodeAffinity>;
}

export interface NodeAffinity extends JsonObject {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: Maybe<NodeTerms>;
}

export interface NodeTerms extends JsonObject {
  readonly nodeSelectorTerms?: Maybe<readonly NodeTerm[]>;
}

export interface NodeTerm extends JsonObject {
  readonly matchExpressions?: Maybe<readonly NodeExpression[]>;
}

export interface NodeExpression extends JsonObject {
  readonly key?: Maybe<string>;
  readonly operator?: Maybe<string>;
  readonly values?: Maybe<readonly string[]>;
}
