import { isJsonObject, type JsonObject } from './json.ts';
import { checkShape, type Shape, type ShapeFault } from './json-shape.ts';
import type { Pod } from './pod.ts';

const named = { name: 'text' } as const;
const texts: Shape = { list: 'text' };
const textMap: Shape = { map: 'text' };
const windowsOptions: Shape = { fields: { runAsUserName: 'text' } };

const containerSecurity: Shape = {
  fields: {
    privileged: 'flag',
    allowPrivilegeEscalation: 'flag',
    runAsUser: 'number',
    runAsGroup: 'number',
    procMount: 'text',
    windowsOptions,
    capabilities: { fields: { add: texts, drop: texts } },
  },
};

const containers: Shape = {
  list: {
    fields: {
      ...named,
      image: 'text',
      command: texts,
      args: texts,
      env: { list: { fields: { ...named, value: 'text', valueFrom: 'object' } } },
      envFrom: { list: 'object' },
      volumeMounts: {
        list: { fields: { ...named, mountPath: 'text', subPath: 'text', subPathExpr: 'text', readOnly: 'flag' } },
      },
      volumeDevices: { list: { fields: named } },
      ports: { list: { fields: { ...named, containerPort: 'number' } } },
      securityContext: containerSecurity,
      targetContainerName: 'text',
    },
  },
};

const podSecurity: Shape = {
  fields: {
    runAsUser: 'number',
    runAsGroup: 'number',
    fsGroup: 'number',
    supplementalGroups: { list: 'number' },
    sysctls: { list: { fields: named } },
    windowsOptions,
  },
};

const token: Shape = { fields: { serviceAccountToken: { fields: { audience: 'text' } } } };
const volumes: Shape = {
  list: {
    fields: {
      ...named,
      hostPath: 'object',
      flexVolume: 'object',
      gitRepo: 'object',
      projected: { fields: { sources: { list: token } } },
    },
  },
};

const nodeTerm: Shape = {
  fields: { matchExpressions: { list: { fields: { key: 'text', operator: 'text', values: texts } } } },
};
const affinity: Shape = {
  fields: {
    nodeAffinity: {
      fields: { requiredDuringSchedulingIgnoredDuringExecution: { fields: { nodeSelectorTerms: { list: nodeTerm } } } },
    },
  },
};

const POD: Shape = {
  fields: {
    metadata: { fields: { ...named, generateName: 'text', namespace: 'text', labels: textMap, annotations: textMap } },
    spec: {
      fields: {
        containers,
        initContainers: containers,
        ephemeralContainers: containers,
        volumes,
        securityContext: podSecurity,
        hostNetwork: 'flag',
        hostPID: 'flag',
        hostIPC: 'flag',
        hostUsers: 'flag',
        shareProcessNamespace: 'flag',
        dnsPolicy: 'text',
        dnsConfig: { fields: { nameservers: texts } },
        hostAliases: { list: { fields: { ip: 'text', hostnames: texts } } },
        os: { fields: named },
        nodeSelector: textMap,
        affinity,
        tolerations: { list: { fields: { key: 'text' } } },
        runtimeClassName: 'text',
        terminationGracePeriodSeconds: 'number',
      },
    },
  },
};

/**
 * Checks the types of all fields that admission reads (OpenAPI of core/v1 Pod). The API server has done so for what it
 * sends; a review from anywhere else must not make a rule overlook a field.
 * @returns the faults, at most a few; none means that the object is a `Pod`
 */
export function checkPodShape(object: JsonObject, prefix: string): readonly ShapeFault[] {
  return checkShape(object, POD, prefix);
}

/** The same check as a type guard. */
export function isPod(object: unknown): object is Pod {
  return isJsonObject(object) && checkPodShape(object, '').length === 0;
}
