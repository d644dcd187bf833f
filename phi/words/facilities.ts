import { BIT } from '../bit.ts';
import { group, type WordGroup } from './word-group.ts';

export const FACILITIES: readonly WordGroup[] = [
  group(
    BIT.FACILITY,
    `hospital hospitals clinic clinics center centre infirmary hospice snf institute institution pharmacy sanatorium sanitarium asylum dispensary polyclinic healthcare facility rehab rehabilitation practice
    office home ward campus med ctr cntr hosp medctr healthcenter medcenter general memorial regional presbyterian methodist baptist medical gen branch hc clinica laboratory laboratories labs surgicenter medicine health er ed icu associates physicians group university college school network`,
  ),
  group(
    BIT.FACILITY_PART,
    `medical health general memorial regional community county city state national university childrens children pediatric womens women mens veterans va cancer heart cardiac cardiology oncology orthopedic orthopaedic
    surgical surgery surgery emergency urgent care primary family medicine wellness behavioral mental psychiatric eye dental skin dermatology neurology neurological rehabilitation rehab nursing home living assisted senior
    hospice outpatient inpatient ambulatory specialty specialist diagnostic imaging radiology research teaching academic system systems service services network center central north south east west northern southern
    eastern western northeast northwest southeast southwest saint st mt mount mercy trinity providence sacred holy good our lady grace hope faith unity methodist baptist presbyterian lutheran adventist episcopal catholic
    jewish christian district municipal metro metropolitan valley river lake bay hills hill view park plaza springs med gen mem univ ctr nursing hosp new old`,
  ),
  group(
    BIT.FACILITY_NAME,
    `ucsf ucla ucsd ucd uci usc nyu mgh bwh bidmc bmc upmc upenn uab umc uchealth uva vumc osu ohsu uthealth utsw utmb mdacc mskcc msk chop cincy hss cleveland kaiser permanente geisinger intermountain sutter
    ascension dignity commonspirit hca tenet banner spectrum beaumont ochsner novant atrium wakemed inova medstar sentara carilion northwell montefiore maimonides bellevue lenox elmhurst jacobi kings
    cedars sinai stanford emory vanderbilt hopkins mayo scripps sharp hoag loma lurie rush northwestern advocate aurora froedtert gundersen marshfield essentia sanford avera allina hennepin fairview
    barnes mercyhealth cox integris baylor methodist parkland memorialhermann brigham lahey tufts umass dartmouth yale hartford beth israel deaconess sloan kettering harborview uwmc nyp langone presbyterian nhs amc smh lgh`,
  ),
  group(BIT.SAINT, 'st saint sts mt mount santa san'),
];
