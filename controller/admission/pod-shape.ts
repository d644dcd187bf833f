import { LIMIT } from '#contract/limit.ts';
import { isJsonObject, type JsonObject, ownField } from './json.ts';
import type { Pod } from './pod.ts';

/** What a field must be. Null and absence are always right. */
type Shape =
  | 'text'
  | 'number'
  | 'flag'
  | 'object'
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly fields: { readonly [field: string]: Shape } };

/** A field of the wrong type: where, and what it must be. */
export interface ShapeFault {
  readonly field: string;
  readonly expected: string;
}

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
  const faults: ShapeFault[] = [];
  checkShape(object, POD, { field: prefix, faults });
  return faults;
}

/** The same check as a type guard. */
export function isPod(object: unknown): object is Pod {
  return isJsonObject(object) && checkPodShape(object, '').length === 0;
}

interface Cursor {
  readonly field: string;
  readonly faults: ShapeFault[];
}

function checkShape(value: unknown, shape: Shape, cursor: Cursor): void {
  if (value === null || value === undefined || cursor.faults.length >= LIMIT.admissionFaults) return;
  if (typeof shape === 'string') return checkLeaf(value, shape, cursor);
  if ('list' in shape) return checkList(value, shape.list, cursor);
  if (!isJsonObject(value)) return addFault(cursor, 'an object');
  if ('map' in shape) {
    // Every value of a map is looked at; its key may be a label, which is no secret, but could be long.
    for (const key of Object.keys(value))
      checkShape(value[key], shape.map, { ...cursor, field: `${cursor.field}[${JSON.stringify(key.slice(0, 80))}]` });
    return;
  }
  for (const [field, inner] of Object.entries(shape.fields)) {
    checkShape(ownField(value, field), inner, {
      ...cursor,
      field: cursor.field === '' || cursor.field.endsWith('.') ? `${cursor.field}${field}` : `${cursor.field}.${field}`,
    });
  }
}

function checkList(value: unknown, inner: Shape, cursor: Cursor): void {
  if (!Array.isArray(value)) return addFault(cursor, 'a list');
  if (value.length > LIMIT.admissionListEntries)
    return addFault(cursor, `a list of at most ${LIMIT.admissionListEntries} entries`);
  // An absent item of a list is no item: unlike a field, it cannot be left out.
  value.forEach((item, i) => {
    const place = { ...cursor, field: `${cursor.field}[${i}]` };
    if (item === null || item === undefined) addFault(place, leafWord(inner));
    else checkShape(item, inner, place);
  });
}

function checkLeaf(value: unknown, shape: 'text' | 'number' | 'flag' | 'object', cursor: Cursor): void {
  const right = shape === 'object' ? isJsonObject(value) : typeof value === LEAF_TYPE[shape];
  if (!right) addFault(cursor, leafWord(shape));
}

const LEAF_TYPE = { text: 'string', number: 'number', flag: 'boolean' } as const;

function leafWord(shape: Shape): string {
  return typeof shape === 'string' ? WORD[shape] : 'an object';
}

const WORD = { text: 'a string', number: 'a number', flag: 'true or false', object: 'an object' } as const;

function addFault(cursor: Cursor, expected: string): void {
  if (cursor.faults.length < LIMIT.admissionFaults) cursor.faults.push({ field: cursor.field, expected });
}
