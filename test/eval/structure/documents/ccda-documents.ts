import { dashed, note, type Person } from './people.ts';

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const escape = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll("'", '&#39;')
    .replaceAll('Ó', '&#xD3;')
    .replaceAll('æ', '&#230;');
const day = (person: Person): string => person.birth.replaceAll('-', '');

const name = (person: Person, extra = ''): string =>
  `<name use="L"><prefix>Ms.</prefix><given>${escape(person.given)}</given><given qualifier="CL">${escape(person.middle)}</given><family>${escape(person.family)}</family>${extra}</name>`;
const plainName = (person: Person): string => `<name>${escape(`${person.given} ${person.family}`)}, MD</name>`;
const address = (person: Person): string =>
  `<addr use="HP"><streetAddressLine>${escape(person.street)}</streetAddressLine><streetAddressLine>Apt 4</streetAddressLine><city>${person.town}</city><county>${person.town} County</county><state>OH</state><postalCode>${person.zip}</postalCode><country>US</country></addr>`;
const mixedAddress = (person: Person): string =>
  `<addr>${escape(person.street)}, ${person.town}, OH ${person.zip}</addr>`;
const telecom = (person: Person): string =>
  `<telecom use="HP" value="tel:+1${dashed(person.phone).replace(' ', '')}"/><telecom value="mailto:${person.email}"/><telecom use="MC" value="tel: 1+(${person.phone.slice(0, 3)})${person.phone.slice(3, 6)}-${person.phone.slice(6)}"/><telecom value="fax:${person.phone}"/>`;
const organization = (person: Person, tag: string): string =>
  `<${tag}><id root="2.16.840.1.113883.4.6" extension="1${person.account.slice(0, 9)}"/><name>${person.town} Family Health</name>${telecom(person)}${address(person)}</${tag}>`;

function header(person: Person, doctor: Person, kin: Person): string {
  return `<realmCode code="US"/><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/><templateId root="2.16.840.1.113883.10.20.22.1.2" extension="2015-08-01"/>
<id root="2.16.840.1.113883.19.5.99999.1" extension="TT${person.account}"/><id root="${person.uuid}"/>
<code codeSystem="2.16.840.1.113883.6.1" code="34133-9" displayName="Summarization of Episode Note"/>
<title>Visit summary of ${escape(person.given)} ${escape(person.family)}</title><effectiveTime value="20230405101112-0500"/><confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/><setId root="2.16.840.1.113883.19" extension="s${person.mrn}"/><versionNumber value="1"/>
<recordTarget><patientRole><id root="2.16.840.1.113883.19.5" extension="${person.mrn}" assigningAuthorityName="${person.town} Family Health"/><id root="2.16.840.1.113883.4.1" extension="${person.ssn}"/><id nullFlavor="NI"/>${address(person)}${mixedAddress(kin)}${telecom(person)}
<patient>${name(person)}<name use="P"><given>${escape(person.middle)}</given></name><administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="${day(person)}041300-0500"/><sdtc:deceasedTime value="20240229"/><raceCode code="2106-3" displayName="White" codeSystem="2.16.840.1.113883.6.238"/>
<guardian><code code="POWATT" displayName="Power of Attorney" codeSystem="2.16.840.1.113883.5.111"/>${address(kin)}${telecom(kin)}<guardianPerson>${name(kin, '<suffix>Jr.</suffix>')}</guardianPerson></guardian>
<birthplace><place><name>${kin.town} General Hospital</name><addr><city>${kin.town}</city><state>OH</state><postalCode>${kin.zip}</postalCode></addr></place></birthplace></patient>
${organization(doctor, 'providerOrganization')}</patientRole></recordTarget>
<author><time value="20230405"/><assignedAuthor><id root="2.16.840.1.113883.4.6" extension="1${doctor.account.slice(0, 9)}"/>${address(doctor)}${telecom(doctor)}<assignedPerson>${name(doctor)}</assignedPerson>${organization(doctor, 'representedOrganization')}</assignedAuthor></author>
<dataEnterer><assignedEntity><id root="${doctor.uuid}"/><assignedPerson>${plainName(doctor)}</assignedPerson></assignedEntity></dataEnterer>
<informant><relatedEntity classCode="PRS">${address(kin)}${telecom(kin)}<relatedPerson>${name(kin)}</relatedPerson></relatedEntity></informant>
<custodian><assignedCustodian>${organization(doctor, 'representedCustodianOrganization')}</assignedCustodian></custodian>
<informationRecipient><intendedRecipient><informationRecipient>${name(kin)}</informationRecipient><receivedOrganization><name>${kin.town} Clinic</name></receivedOrganization></intendedRecipient></informationRecipient>
<legalAuthenticator><time value="20230405101112"/><signatureCode code="S"/><assignedEntity><id extension="LA${doctor.mrn}" root="1.2.3.4.5"/><assignedPerson>${name(doctor)}</assignedPerson></assignedEntity></legalAuthenticator>
<participant typeCode="IND"><time><low value="20200101"/></time><associatedEntity classCode="NOK"><id extension="RP${kin.mrn}" root="1.2.3.4.6"/>${address(kin)}${telecom(kin)}<associatedPerson>${name(kin)}</associatedPerson><scopingOrganization><name>${kin.town} School District</name></scopingOrganization></associatedEntity></participant>
<documentationOf><serviceEvent classCode="PCPR"><effectiveTime><low value="20110506"/><high value="20230405"/></effectiveTime><performer typeCode="PRF"><assignedEntity><id extension="PF${doctor.mrn}" root="2.16.840.1.113883.4.6"/><assignedPerson>${name(doctor)}</assignedPerson></assignedEntity></performer></serviceEvent></documentationOf>
<componentOf><encompassingEncounter><id extension="V${person.account}" root="2.16.840.1.113883.19"/><effectiveTime><low value="20230405"/><high value="20230409"/></effectiveTime><responsibleParty><assignedEntity><assignedPerson>${plainName(doctor)}</assignedPerson></assignedEntity></responsibleParty><location><healthCareFacility><id extension="HF${doctor.mrn}" root="1.2.3.4.7"/><location><name>${doctor.town} Family Health</name>${address(doctor)}</location></healthCareFacility></location></encompassingEncounter></componentOf>`;
}

function sections(person: Person, doctor: Person): string {
  const text = note(person, doctor);
  return `<component><section><code code="11488-4" codeSystem="2.16.840.1.113883.6.1" displayName="Consult note"/><title>Note</title><text><paragraph ID="p1">${escape(text)}</paragraph><list><item>Mother: ${escape(person.given)} <content styleCode="Bold">${escape(person.family)}</content></item></list>
<table border="1"><caption>Contacts of ${escape(person.family)}</caption><thead><tr><th>Name</th><th>Phone</th><th>Date of birth</th><th>Drug</th></tr></thead><tbody><tr><td>${escape(`${person.family}, ${person.given}`)}</td><td>${dashed(person.phone)}</td><td>${person.birth}</td><td>Lisinopril 10 mg</td></tr><tr><td>${escape(doctor.given.toUpperCase())} ${escape(doctor.family.toUpperCase())}</td><td>${doctor.phone}</td><td/><td>Metformin</td></tr></tbody></table></text>
<entry><observation classCode="OBS" moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.2"/><id root="${doctor.uuid}"/><id extension="OB${person.account}" root="1.2.3.4.8"/><code code="4548-4" codeSystem="2.16.840.1.113883.6.1" displayName="Hemoglobin A1c"><originalText><reference value="#p1"/></originalText></code><statusCode code="completed"/><effectiveTime value="20230405"/><value xsi:type="PQ" value="7.2" unit="%"/><interpretationCode code="H" codeSystem="2.16.840.1.113883.5.83"/><referenceRange><observationRange><text>4.0-5.6 %</text></observationRange></referenceRange><participant typeCode="DEV"><participantRole><id root="2.16.840.1.113883.3.3719" extension="(01)00844588003288(21)${person.account}"/><playingDevice><code code="90412006" displayName="Colonoscope" codeSystem="2.16.840.1.113883.6.96"/></playingDevice></participantRole></participant></observation></entry>
<entry><act><text><![CDATA[${text.replaceAll(']]>', '')}]]></text></act></entry><!-- Reviewed by ${doctor.given} ${doctor.family} --></section></component>`;
}

function fhirXml(person: Person): string {
  return `<Patient xmlns="http://hl7.org/fhir"><id value="${person.uuid}"/><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">${escape(person.given)} ${escape(person.family)}</div></text><identifier><system value="http://hospital.example.org/mrn"/><value value="${person.mrn}"/></identifier><name><use value="official"/><family value="${escape(person.family)}"/><given value="${escape(person.given)}"/></name><telecom><system value="phone"/><value value="${dashed(person.phone)}"/></telecom><gender value="female"/><birthDate value="${person.birth}"/><address><line value="${escape(person.street)}"/><city value="${person.town}"/><state value="OH"/><postalCode value="${person.zip}"/></address><generalPractitioner><reference value="Practitioner/${person.account}"/><display value="${escape(person.middle)} ${escape(person.family)}"/></generalPractitioner></Patient>`;
}

const ROOT =
  'xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:sdtc="urn:hl7-org:sdtc"';

/** C-CDA documents and fragments, and a FHIR resource in XML, about invented persons. */
export function ccdaDocuments(person: Person, doctor: Person, kin: Person): readonly string[] {
  const body = `${header(person, doctor, kin)}<component><structuredBody>${sections(person, doctor)}</structuredBody></component>`;
  const whole = `<?xml version="1.0" encoding="UTF-8"?>\n<?xml-stylesheet type="text/xsl" href="CDA.xsl"?>\n<ClinicalDocument ${ROOT}>${body}</ClinicalDocument>`;
  const prefixed = `<cda:ClinicalDocument xmlns:cda="urn:hl7-org:v3" xmlns:xsi="x" xmlns:sdtc="y">${body.replaceAll(/<(\/?)(?=[a-z])(?!sdtc:)/g, '<$1cda:')}</cda:ClinicalDocument>`;
  const unstructured = (mediaType: string, data: string): string =>
    `<ClinicalDocument ${ROOT}>${header(person, doctor, kin)}<component><nonXMLBody><text mediaType="${mediaType}" representation="B64">${data}</text></nonXMLBody></component></ClinicalDocument>`;
  const wrapped = (base64(note(person, doctor).repeat(3)).match(/.{1,76}/g) ?? []).join('\n    ');
  return [
    whole,
    whole.replaceAll('><', '>\n  <'),
    prefixed,
    whole.replaceAll(/="([^"']*)"/g, "='$1'"),
    unstructured('text/plain', base64(note(person, doctor))),
    unstructured('text/plain', wrapped),
    unstructured('text/html', base64(`<html><body><p>${person.family}</p></body></html>`)),
    unstructured('text/rtf', base64(`{\\rtf1\\ansi ${person.given} ${person.family}\\par}`)),
    `<recordTarget><patientRole><id extension="${person.mrn}" root="1.2.3"/>${address(person)}${telecom(person)}<patient>${name(person)}<birthTime value="${day(person)}"/></patient></patientRole></recordTarget>`,
    fhirXml(person),
  ];
}
