import { BIT } from '../bit.ts';
import { LABEL } from './labels.ts';
import { group, type WordGroup } from './word-group.ts';

export const FUNCTION_WORDS: readonly WordGroup[] = [
  group(
    BIT.STOP,
    `a an and are as at be been being but by can could did do does done doing for from had has have having he her here hers him his how i if in into is it its
    itself me more most my no nor not of off on once only or other our ours out over own same she should so some such than that the their theirs them then there these
    they this those through to too under until up very was we were what when where which while who whom why will with would you your yours am any both each few
    further about above after again against all also although always among another around because before behind below between beyond cannot despite down during either else
    ever every everyone everything however just least less like likely many may maybe might much must near need neither never nevertheless next none nothing now often one ones
    onto others otherwise per perhaps please quite rather really regarding said says see seen several shall since still though thus today together tomorrow tonight toward
    towards two three four five six seven eight nine ten unless upon us versus via vs well whether whose within without yes yesterday yet ok okay hi hello hey dear thanks thank
    sorry sure et al etc eg ie aka re cc bcc ps nb asap fyi faq q qs`,
  ),
  group(
    BIT.STOP,
    `patient patients pt pts doctor doctors nurse nurses physician physicians provider providers clinician clinicians surgeon surgeons specialist specialists resident residents
    male female man woman men women boy girl child children kid kids infant baby babies adult adults adolescent teen teenager elderly individual individuals person people human
    what which how when where why who is are was were can could should would may might best current latest recent new old optimal recommended recommendations recommendation
    guideline guidelines management managing treatment treatments treating treated therapy therapies therapeutic diagnosis diagnostic diagnosed prognosis protocol protocols evidence
    effect effects effectiveness efficacy efficient side adverse risk risks benefit benefits interaction interactions contraindication contraindications indication indications dose doses
    dosage dosing long term short acute chronic severe mild moderate history medical surgical clinical hospital emergency urgent primary secondary tertiary care health mental public national
    international american european asian african hispanic latino latina caucasian white black native pacific islander race ethnicity english spanish french german italian russian chinese japanese
    korean arabic hindi vietnamese portuguese department section division unit ward room floor bed office team service services system systems center centre program programs note notes report reports
    summary record records chart charts form forms date dates time times day days week weeks month months year years hour hours minute minutes morning afternoon evening night
    name names address phone fax email mail number numbers id code codes type types status state states city county country zip left right upper lower bilateral anterior posterior
    chief complaint complaints present illness past family social review symptoms symptom signs sign physical exam examination assessment plan plans discharge admission follow followup
    vital vitals labs lab laboratory imaging results result findings finding impression medications medication meds allergies allergy problem problems list procedure procedures operation
    subjective objective history constitutional general cardiovascular respiratory gastrointestinal genitourinary musculoskeletal neurological psychiatric skin integumentary endocrine hematologic
    blood pressure heart rate temperature weight height pulse oxygen saturation pain fever cough nausea vomiting diarrhea headache fatigue chest abdomen abdominal head neck eyes ears nose throat mouth
    mother father son daughter wife husband brother sister parent parents guardian spouse partner friend family member members caregiver aunt uncle grandmother grandfather niece nephew cousin
    given based due consider considering compare comparing describe explain provide provides list discuss summarize review evaluate assess identify find search help need looking rec recs tx dx rx hx sx
    fx mgmt prev eval recommend suggest suggestions advice information info data question questions answer answers query queries study studies trial trials research article articles literature
    first second third fourth last early late prior previous initial final post pre non anti multi self alternative alternatives option options strategy strategies approach approaches role use used using
    high low normal abnormal elevated increased decreased positive negative stable unstable active inactive`,
  ),
  group(BIT.PREPOSITION, 'in at from near to around outside'),
  group(0, 'ninety hundred', LABEL.AGE),
  group(BIT.FILLER, 'number numbers no nos num nbr id ids identifier is was as are the of code ending value'),
];
