import { LIMIT } from '#contract/limit.ts';
import type { PolicyLists } from '#contract/lists-protocol.ts';
import { compileAgreements, type Workload } from '#contract/policy-compile.ts';
import { readResource, type ResourceResult } from '#contract/policy-source.ts';
import type { ResourceKind } from '#contract/policy-schema.ts';
import type { PolicyInputs, RawObject } from '../ports.ts';
import {
  type CompiledPolicy,
  type CompiledShared,
  compileWorkload,
  selectingLabels,
  workloadClass,
  writeShared,
} from './compile.ts';
import { type JudgedPolicy, judgePolicy } from './judge.ts';

interface Compiled {
  readonly shared: CompiledShared;
  readonly labelKeys: ReadonlyMap<string, ReadonlySet<string>>;
  readonly classes: Map<string, CompiledPolicy>;
}

/**
 * Keeps what was judged and compiled: inputs that did not change are judged once, a resource that did not change is read once, and
 * workloads that have the same policy share one.
 */
export class PolicyCache {
  #last: { readonly inputs: PolicyInputs; readonly judged: JudgedPolicy } | null = null;
  readonly #read = new WeakMap<RawObject, ResourceResult<ResourceKind>>();
  readonly #compiled = new WeakMap<JudgedPolicy, Compiled>();
  readonly #lists: () => PolicyLists | undefined;

  /** @param lists what policy says of the deployer's lists; the same object while it is the same */
  constructor(lists: () => PolicyLists | undefined = () => undefined) {
    this.#lists = lists;
  }

  /** Judges inputs; the same object comes back while they are the same. */
  judge(inputs: PolicyInputs): JudgedPolicy {
    if (this.#last !== null && isSame(this.#last.inputs, inputs)) return this.#last.judged;
    const judged = judgePolicy(inputs, (kind, raw) => this.#readOnce(kind, raw));
    this.#last = { inputs, judged };
    return judged;
  }

  /** Compiles the policy of a workload. */
  compile(judged: JudgedPolicy, workload: Workload): CompiledPolicy {
    const compiled = this.#compiledOf(judged);
    const name = workloadClass(compiled.labelKeys, workload);
    const known = compiled.classes.get(name);
    if (known !== undefined) return known;
    const fresh = compileWorkload(judged, workload, compiled.shared);
    if (compiled.classes.size >= LIMIT.compiledPolicies) compiled.classes.clear();
    compiled.classes.set(name, fresh);
    return fresh;
  }

  #compiledOf(judged: JudgedPolicy): Compiled {
    const known = this.#compiled.get(judged);
    const lists = this.#lists();
    if (known !== undefined && known.shared.lists === lists) return known;
    const fresh = {
      shared: writeShared(compileAgreements(judged.source), lists),
      labelKeys: selectingLabels(judged),
      classes: new Map<string, CompiledPolicy>(),
    };
    this.#compiled.set(judged, fresh);
    return fresh;
  }

  #readOnce<Kind extends ResourceKind>(kind: Kind, raw: RawObject): ResourceResult<Kind> {
    // An object is of one kind for as long as it lives.
    const known = this.#read.get(raw) as ResourceResult<Kind> | undefined;
    if (known !== undefined) return known;
    const fresh = readResource(kind, raw);
    this.#read.set(raw, fresh);
    return fresh;
  }
}

/** Compared by identity, not by revision alone: a view that was wrong about its revision must not freeze policy. */
function isSame(a: PolicyInputs, b: PolicyInputs): boolean {
  const same = (one: readonly RawObject[], other: readonly RawObject[]): boolean =>
    one === other || (one.length === other.length && one.every((object, index) => object === other[index]));
  return (
    a.revision === b.revision &&
    a.values === b.values &&
    same(a.agreements, b.agreements) &&
    same(a.egress, b.egress) &&
    same(a.exemptions, b.exemptions)
  );
}
