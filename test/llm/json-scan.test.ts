import { describe, expect, it } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { scanJson } from '#llm/json-scan.ts';
import { decodeString, kindOf, memberOf, rawOf, ROOT } from '#llm/json-tree.ts';

function faultOf(text: string): string {
  const scan = scanJson(text);
  return scan.kind === 'fault' ? scan.fault : 'none';
}

describe('what RFC 8259 allows is read', () => {
  const valid = [
    '{}',
    '[]',
    '0',
    '-0',
    '1e5',
    '1E+5',
    '-1.5e-10',
    '""',
    '"\\u0041"',
    '"\\ud83d\\ude00"',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    ' \t\r\n[ 1 , 2 ] \n',
    '{"a":{"b":[null,true,false]}}',
    '"\u007f"',
    '"\u2028"',
    '{"":0}',
    '[[[[]]]]',
    'null',
    '"😀"',
    '{"a":1,"A":2}',
    '[""]',
    '{"a b":"c d"}',
  ];
  it.each(valid)('%j', (text) => {
    expect(faultOf(text)).toBe('none');
    JSON.parse(text);
  });
});

describe('what RFC 8259 does not allow is a fault', () => {
  const invalid = [
    '',
    ' ',
    '{',
    '}',
    '[1,]',
    '{"a":1,}',
    '{,}',
    '[,1]',
    '01',
    '+1',
    '.5',
    '1.',
    '1e',
    '0x1',
    'NaN',
    'Infinity',
    'tru',
    'TRUE',
    'nul',
    "'a'",
    '{a:1}',
    '{"a" 1}',
    '{"a"}',
    '{1:2}',
    '"',
    '"\\"',
    '"\\x41"',
    '"\\u12"',
    '"\\u12g4"',
    '"\\u"',
    '"a\nb"',
    '"a\tb"',
    '"\u0000"',
    '[1 2]',
    '1 2',
    '{} {}',
    '//c\n1',
    '/**/1',
    '\uFEFF{}',
    '[1]]',
    '\u00a0{}',
    '"abc\\',
    '{"a":}',
    '[\u000b1]',
    '-',
    '--1',
    '"\\u\u0010123"',
  ];
  it.each(invalid)('%j', (text) => {
    expect(faultOf(text)).toBe('syntax');
    expect(() => JSON.parse(text) as unknown).toThrow();
  });
});

describe('duplicate keys', () => {
  it('T27: a key that stands twice is a fault, at any depth and however it is escaped', () => {
    expect(faultOf('{"a":1,"a":2}')).toBe('duplicate_key');
    expect(faultOf('{"a":1,"\\u0061":2}')).toBe('duplicate_key');
    expect(faultOf('[{"x":{"a":1,"b":2,"a":3}}]')).toBe('duplicate_key');
    const many = Array.from({ length: 40 }, (_, index) => `"k${String(index)}":0`).join(',');
    expect(faultOf(`{${many},"k3":1}`)).toBe('duplicate_key');
    expect(faultOf(`{${many},"k40":1}`)).toBe('none');
  });
});

describe('bounds', () => {
  it('nesting deeper than the limit is a fault, the limit itself is not', () => {
    const nest = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(faultOf(nest(LIMIT.jsonDepth))).toBe('none');
    expect(faultOf(nest(LIMIT.jsonDepth + 1))).toBe('depth');
    expect(faultOf('['.repeat(1_000_000))).toBe('depth');
  });

  it('more values than the limit are a fault', () => {
    expect(faultOf(`[${'0,'.repeat(LIMIT.jsonValues)}0]`)).toBe('size');
  });
});

describe('offsets', () => {
  it('a value can be cut out of the text as it is written', () => {
    const scan = scanJson(' {"n": 1.50e3 ,"s":"a\\u0062\\n", "o" : {"x":[ 1 ]} } ');
    if (scan.kind === 'fault') throw new Error(scan.fault);
    const member = (name: string): number => memberOf(scan.tree, ROOT, name) ?? -1;
    expect(rawOf(scan.tree, member('n'))).toBe('1.50e3');
    expect(rawOf(scan.tree, member('s'))).toBe('"a\\u0062\\n"');
    expect(decodeString(scan.tree, member('s'))).toBe('ab\n');
    expect(rawOf(scan.tree, member('o'))).toBe('{"x":[ 1 ]}');
    expect(kindOf(scan.tree, member('o'))).toBe('object');
    expect(memberOf(scan.tree, ROOT, 'x')).toBeNull();
  });

  it('half a surrogate pair in an escape is noticed', () => {
    const loneOf = (text: string): boolean => {
      const scan = scanJson(text);
      return scan.kind === 'json' && scan.tree.lone;
    };
    expect(loneOf('"\\ud83d"')).toBe(true);
    expect(loneOf('"\\ude00\\ud83d"')).toBe(true);
    expect(loneOf('"\\ud83dx"')).toBe(true);
    expect(loneOf('"\\ud83d\\ud83d\\ude00"')).toBe(true);
    expect(loneOf('{"\\udc00":1}')).toBe(true);
    expect(loneOf('"\\ud83d\\ude00"')).toBe(false);
  });
});
