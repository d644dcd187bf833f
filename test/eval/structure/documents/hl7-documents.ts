import { dashed, note, type Person } from './people.ts';

const upper = (text: string): string => text.toUpperCase();
const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const name = (person: Person): string =>
  `${upper(person.family)}^${upper(person.given)}^${upper(person.middle)}^^MS^^L`;
const provider = (person: Person): string =>
  `1${person.account.slice(0, 9)}^${person.family}^${person.given}^${person.middle.charAt(0)}^^DR^MD^^NPI^L^^^NPI`;
const address = (person: Person): string =>
  `${upper(person.street)}&${upper(person.street)}^APT 4^${upper(person.town)}^OH^${person.zip}^USA^H^^${upper(person.town)} COUNTY`;
const phone = (person: Person): string =>
  `${dashed(person.phone)}^PRN^PH^^1^${person.phone.slice(0, 3)}^${person.phone.slice(3)}~^NET^Internet^${person.email}`;
const day = (person: Person): string => person.birth.replaceAll('-', '');

function header(doctor: Person, type: string): string {
  return `MSH|^~\\&|LAB^2.16.840.1.113883.3.72^ISO|${upper(doctor.town)} GENERAL^2.16.840.1.113883.3.73^ISO|EHR|${upper(doctor.town)} CLINIC|20230405101112.123-0500||${type}|MSG${doctor.account}|P|2.5.1|||AL|NE`;
}

function demographics(person: Person, doctor: Person, kin: Person): readonly string[] {
  return [
    `EVN|A01|20230405101112|||1${doctor.account.slice(0, 9)}^${doctor.family}^${doctor.given}|20230405101000`,
    `PID|1|P${person.account}|${person.mrn}^^^HOSP&2.16.840.1.113883.3.74&ISO^MR~${person.ssn}^^^SSA^SS|ALT${person.mrn}|${name(person)}|${upper(kin.family)}^${upper(kin.given)}|${day(person)}0413|F|${upper(person.middle)}^${upper(person.given)}^^^^^A|2106-3^White^HL70005|${address(person)}|049|${phone(person)}|${person.phone}|eng^English^HL70296|M|CAT|${person.account}^^^HOSP^AN|${person.ssn}|OH${person.mrn}^OH^20270101|${kin.mrn}^^^HOSP^MR|2186-5^Not Hispanic^HL70189|${upper(person.town)}|N|1|USA|||20240229073000|N`,
    `PD1|||${upper(doctor.town)} FAMILY HEALTH^^${doctor.account}|${provider(doctor)}`,
    `NK1|1|${name(kin)}|MTH^Mother^HL70063|${address(kin)}|${phone(kin)}|${kin.phone}|C^Emergency^HL70131|20200101||Teacher|||${upper(kin.town)} SCHOOL DISTRICT|||${day(kin)}||||||||||||||${name(kin)}|${phone(kin)}|${address(kin)}|${kin.member}|||${kin.ssn}`,
    `PV1|1|I|4W^412^B^${upper(doctor.town)} GENERAL^^^^^Building ${doctor.town}|E|PRE${person.account}|3E^301^A|${provider(doctor)}|${provider(kin)}|${provider(doctor)}|MED||||7|A0||${provider(doctor)}|IP|V${person.account}^^^HOSP^VN|||||||||||||||||||||||||20230405101112|20230409120000|||||ALTV${person.account}`,
    `GT1|1|G${person.account}|${name(kin)}|${name(person)}|${address(kin)}|${phone(kin)}|${kin.phone}|${day(kin)}|F|P|SEL|${kin.ssn}|||||||||${upper(kin.town)} MILLS`,
    `IN1|1|PPO^Preferred|${person.account}|ACME HEALTH|PO BOX ${person.account.slice(0, 4)}^^${upper(kin.town)}^OH^${kin.zip}|${name(doctor)}|${phone(doctor)}|GRP${person.account}|ACME|||20230101|20231231||PPO|${name(kin)}|MTH|${day(kin)}|${address(kin)}||||||||||||||||${person.member}||||||||${address(kin)}|||||${person.member}`,
    `IN2|${kin.mrn}|${kin.ssn}|E12^${kin.family}^${kin.given}|||${kin.member}|${name(kin)}|${kin.member}`,
    `AL1|1|DA|7980^Penicillin^RXNORM|SV|Rash|20110506`,
    `DG1|1|I10|E11.9^Type 2 diabetes mellitus^I10||20230405|A||||||||||${provider(doctor)}`,
    `ZPI|1|${name(person)}|${person.mrn}^^^HOSP^MR|${address(person)}|${dashed(person.phone)}^PRN^PH|${day(person)}`,
  ];
}

function results(person: Person, doctor: Person): readonly string[] {
  const text = note(person, doctor);
  const escaped = text.replaceAll('\\', '\\E\\').replaceAll('&', '\\T\\').replaceAll('. ', '.\\.br\\');
  const hexName = person.family.replace(
    /^[A-Za-z]{2}/,
    (two) => `\\X${Buffer.from(two).toString('hex').toUpperCase()}\\`,
  );
  return [
    `ORC|RE|ORD${person.account}^EHR|FIL${person.account}^LAB|GRP${person.account}||||^^^20230405|20230405101112|E1^${doctor.family}^${doctor.given}|E2^${doctor.family}^${doctor.given}|${provider(doctor)}|4W|${phone(doctor)}|||||||${upper(doctor.town)} CLINIC^^${doctor.account}|${address(doctor)}|${phone(doctor)}|${address(doctor)}`,
    `OBR|1|ORD${person.account}^EHR|FIL${person.account}^LAB|4548-4^Hemoglobin A1c^LN|||20230405080000|20230405081000||E3^${doctor.family}^${doctor.given}|||Fasting, ${person.given} confirmed|20230405090000||${provider(doctor)}|${phone(doctor)}|ACC${person.account}||||20230405120000||LAB|F||^^^20230405|${provider(doctor)}||||E4&${doctor.family}&${doctor.given}^20230405|E5&${doctor.family}&${doctor.given}`,
    `OBX|1|NM|4548-4^Hemoglobin A1c^LN||7.2|%|4.0-5.6|H|||F|||20230405080000|${upper(doctor.town)} LAB|${provider(doctor)}|||20230405110000||||${upper(doctor.town)} LABORATORY^^^^^CLIA&2.16.840.1.113883.4.7&ISO^XX^^^36D${doctor.mrn}|${address(doctor)}|${provider(doctor)}`,
    `OBX|2|FT|11488-4^Consult note^LN||${escaped}||||||F`,
    `OBX|3|TX|48767-8^Comment^LN||Seen with mother ${person.given} ${hexName}~call ${dashed(person.phone)}||||||F`,
    `OBX|4|ED|57129-9^Report^LN||LAB^TEXT^plain^Base64^${base64(text)}||||||F`,
    `OBX|5|ED|57129-9^Report^LN||LAB^TEXT^html^Base64^${base64(`<p>${person.family}</p>`)}||||||F`,
    `OBX|6|ED|57129-9^Report^LN||LAB^TEXT^plain^Hex^${Buffer.from(text).toString('hex').toUpperCase()}||||||F`,
    `OBX|7|XPN|62324-9^Contact name^LN||${name(person)}||||||F`,
    `OBX|8|XAD|62331-4^Contact address^LN||${address(person)}||||||F`,
    `OBX|9|ST|62328-0^Provider phone number^LN||${person.given} ${dashed(person.phone)}||||||F`,
    `OBX|10|DT|21112-8^Birth date^LN||${day(person)}||||||F`,
    `OBX|11|CX|76435-7^Hospital number^LN||${person.mrn}^^^HOSP^MR||||||F`,
    `OBX|12|CWE|67704-7^Feeding types^LN||LA16914-6^Breast milk^LN||||||F`,
    `OBX|13|SN|5802-4^Nitrite^LN||<^0.05|mg/dL|||||F`,
    `NTE|1|L|${escaped}`,
    `NTE|2|P|${upper(person.given)} ${upper(person.family)} to follow up with Dr. ${doctor.family} at ${dashed(doctor.phone)}.`,
    `SPM|1|SP${person.account}&EHR^FS${person.account}&LAB||119297000^Blood^SCT|||||||||||||20230405080000|20230405083000`,
    `TXA|1|CN|TX|20230405|${provider(doctor)}|20230405|20230405||${provider(doctor)}|${provider(doctor)}||D${person.account}^EHR||||${person.family}_${person.given}.pdf`,
    `RXA|0|1|20230405080000|20230405080000|141^Influenza^CVX|0.5|mL||Given to ${person.given} ${person.family}|${provider(doctor)}|${upper(doctor.town)} CLINIC||||LOT${person.account}|20240101`,
    `SCH|AP${person.account}|FA${person.account}|||||CHECKUP^Checkup^L||30|min|^^30^20230708093000|${provider(doctor)}|${phone(doctor)}|${address(doctor)}||${provider(doctor)}`,
  ];
}

/** The same message with other separators, as MSH-1 and MSH-2 allow (HL7 v2.5.1 §2.5.4). */
function remapped(message: string): string {
  const map: Readonly<Record<string, string>> = { '|': '#', '^': '@', '~': '*', '&': '%' };
  return message.replaceAll(/[#@*%]/g, '-').replaceAll(/[|^~&]/g, (mark) => map[mark] ?? mark);
}

/** HL7 v2 messages and batches about invented persons, with each way of ending a segment. */
export function hl7Documents(person: Person, doctor: Person, kin: Person): readonly string[] {
  const admit = [header(doctor, 'ADT^A01^ADT_A01'), ...demographics(person, doctor, kin)];
  const result = [
    header(doctor, 'ORU^R01^ORU_R01'),
    ...demographics(person, doctor, kin).slice(1, 3),
    ...results(person, doctor),
  ];
  const batch = [
    `FHS|^~\\&|LAB|${upper(doctor.town)} GENERAL|EHR|${upper(doctor.town)} CLINIC|20230405101112||${person.family}.hl7|||F${person.account}`,
    `BHS|^~\\&|LAB|${upper(doctor.town)} GENERAL|EHR|${upper(doctor.town)} CLINIC|20230405101112||||B${person.account}`,
    ...admit,
    ...result,
    'BTS|2',
    'FTS|1',
  ];
  return [
    `${admit.join('\r')}\r`,
    `${result.join('\r')}\r`,
    `${admit.join('\n')}\n`,
    `${result.join('\r\n')}\r\n`,
    `\u000b${result.join('\r')}\r\u001c\r`,
    remapped(`${admit.join('\r')}\r`),
    remapped(`${result.slice(0, 6).join('\n')}\n`),
    `${batch.join('\r')}\r`,
    admit.slice(2).join('\n'),
  ];
}
