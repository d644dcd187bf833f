import { BIT } from '../bit.ts';
import { group, type WordGroup } from './word-group.ts';

export const CLINICAL: readonly WordGroup[] = [
  // Eponyms: people's names that are not a person's here.
  group(
    BIT.CLINICAL,
    `parkinson parkinsons parkinsonism alzheimer alzheimers crohn crohns hodgkin hodgkins nonhodgkin babinski chaddock foley marfan hashimoto hashimotos addison addisons cushing cushings guillain barre gehrig
    gehrigs huntington huntingtons raynaud raynauds sjogren sjogrens kawasaki barrett barretts mcburney romberg phalen tinel homan homans kernig brudzinski rinne trendelenburg cheyne stokes kussmaul
    glasgow apgar gleason framingham ranson pugh karnofsky mallampati swan ganz hickman pratt whipple roux nissen kocher billroth bartholin epstein ringer ringers coombs doppler holter giemsa allis
    dupuytren dupuytrens colles osgood schlatter charcot paget pagets ewing ewings wilms kaposi kaposis meckel meckels ludwig behcet behcets asperger aspergers tourette tourettes klinefelter
    noonan prader willi angelman rett ehlers danlos duchenne gaucher fabry pompe niemann pick tay sachs creutzfeldt jakob lewy wernicke korsakoff broca bells horner horners argyll robertson
    lambert eaton graves basedow conn conns sheehan waterhouse friderichsen wegener wegeners churg strauss takayasu henoch schonlein goodpasture alport fanconi bartter gitelman
    wolff parkinson brugada mobitz wenckebach eisenmenger fallot ebstein kartagener hirschsprung zollinger ellison mallory weiss boerhaave zenker peutz jeghers gardner lynch gilbert gilberts dubin rotor
    crigler najjar budd chiari caroli wilsons menkes osler weber rendu libman sacks still stills reiter reiters felty caplan pott potts perthes legg calve scheuermann schober lachman mcmurray hawkins neer
    finkelstein spurling lasegue thomas trousseau chvostek murphy murphys rovsing blumberg cullen grey virchow courvoisier auspitz nikolsky koplik forchheimer hutchinson moro galant ortolani barlow
    stevens johnson lyell bowen merkel sezary hansen hansens lyme chagas salmonella shigella escherichia klebsiella yersinia bordetella borrelia brucella rickettsia listeria pasteurella neisseria
    braden morse norton beck becks hamilton montgomery asberg folstein likert fitzpatrick tanner ballard bishop wells geneva child maddrey lille dukes breslow clark ann arbor rai binet bosniak
    kellgren lawrence salter harris monteggia galeazzi lisfranc jones bennett rolando maisonneuve pilon hill sachs bankart baker bakers morton mortons haglund freiberg kohler sever severs
    fontan glenn blalock taussig norwood rastelli jatene ross mustard senning nuss ravitch heller dor toupet hartmann whitehead kasai puestow mohs burch kegel kegels lamaze valsalva heimlich credé leopold
    epley dix hallpike semont ishihara snellen goldmann humphrey amsler schirmer jaeger gram papanicolaou pap wright kveim mantoux schick dick shilling bence tamm horsfall auer heinz howell jolly
    cabot ringed dohle pelger huet reed sternberg langerhans hurthle kulchitsky brunner peyer lieberkuhn malpighi bowman henle purkinje his corti golgi schwann ranvier broadman
    bouchard heberden heberdens schmorl tarlov gartner nabothian skene cowper montgomery achilles adam eustachian fallopian douglas morrison treitz vater oddi wirsung santorini langer
    quincke biot murphy turner turners down downs edwards patau digeorge williams beckwith wiedemann treacher collins pierre robin apert crouzon stickler usher waardenburg alagille bloom werner
    cockayne hurler hunter sanfilippo morquio maroteaux lamy sly krabbe canavan leigh kearns sayre leber friedreich kugelberg welander werdnig hoffmann erb duchenne klumpke bell ramsay hunt
    meniere menieres wallenberg brown sequard gerstmann kluver bucy charles bonnet capgras cotard munchausen ganser couvade stockholm lennox gastaut dravet rasmussen todd todds jackson jacksonian
    ohio boston bristol bergen vancouver rome milwaukee amsterdam`,
  ),
  group(
    BIT.EPONYM_HEAD,
    `disease diseases syndrome syndromes sign signs reflex test tests palsy score scores scale criteria catheter maneuver manoeuvre lymphoma tumor tumour fracture ulcer esophagus oesophagus stain clamp tube
    line procedure phenomenon disorder thyroiditis sarcoma contracture index classification dementia cell cells type stage staging triad law method technique operation repair anastomosis space node nodes body bodies
    duct gland lens chart plate position stitch suture retractor forceps speculum needle wire drain pouch ring web hernia diverticulum point line angle tetralogy anomaly malformation dystrophy ataxia chorea
    atrophy encephalopathy psychosis aphasia area nucleus nuclei tract ganglion nerve canal capsule bundle fibers virus fever encephalitis oil solution lactate smear swab monitor questionnaire inventory
    anxiety depression rating nomogram equation formula rule rules grade grading score system fixation study trial guidelines association regimen diet exercises stockings boots cast brace splint splints frame`,
  ),
  // Brand and generic drugs, vendors, scores and other capitalised clinical words.
  group(
    BIT.CLINICAL | BIT.STOP,
    `allegra zoloft lasix lipitor crestor zocor plavix coumadin eliquis xarelto pradaxa lovenox humira enbrel remicade stelara cosentyx dupixent ozempic wegovy mounjaro trulicity victoza januvia jardiance farxiga
    invokana glucophage lantus humalog novolog levemir tresiba prozac paxil celexa lexapro effexor cymbalta wellbutrin abilify seroquel zyprexa risperdal geodon latuda lithium depakote lamictal tegretol
    keppra neurontin lyrica topamax dilantin klonopin xanax ativan valium ambien lunesta adderall ritalin concerta vyvanse strattera suboxone methadone narcan vicodin percocet oxycontin norco tylenol advil
    motrin aleve aspirin celebrex flexeril soma zanaflex baclofen prilosec nexium protonix pepcid zantac tums singulair advair symbicort spiriva ventolin proair flonase zyrtec claritin benadryl keytruda
    opdivo herceptin avastin rituxan gleevec ibrance tagrisso revlimid velcade synthroid levoxyl armour norvasc diovan cozaar zestril prinivil lopressor toprol coreg tenormin lanoxin entresto aldactone
    viagra cialis flomax proscar botox accutane retin premarin depo provera mirena nexplanon yaz plaquenil imuran cellcept prograf xeljanz otezla zithromax augmentin keflex cipro levaquin bactrim
    vancomycin zosyn rocephin ancef diflucan paxlovid tamiflu remdesivir gardasil shingrix prevnar pneumovax moderna pfizer epic cerner medline pubmed uptodate cochrane medscape fda cdc nih who aha acc
    ada acog aap aafp nccn asco idsa uspstf nice esc easd gold gina kdigo hipaa covid sars hiv aids copd chf cad ckd esrd gerd ibs ibd uc ra sle ms als adhd ocd ptsd bph uti uri dvt pe mi cva tia afib
    afl htn hld dm t2dm t1dm niddm iddm osa bmi bp hr rr spo2 a1c hba1c ldl hdl tsh cbc cmp bmp ekg ecg eeg emg mri ct cta pet mra cxr us tte tee egd icu ccu nicu picu er ed or pacu snf ltac gi gu
    ent obgyn cns pns iv im sc sq po pr prn bid tid qid qd qhs hs ac pc npo stat sob doe cp abd nkda rom wnl perrla heent rrr ctab ros hpi pmh psh fh sh pe cc ap soap ace arb ssri snri maoi tca nsaid nsaids ppi
    dmard dmards tnf cbt dbt emdr ect tms tens cpap bipap picc tpn cabg pci tavr icd crt lvad ecmo hrt ivf gvhd cml cll aml hcc nsclc sclc rcc tnbc her2 egfr alk brca dna rna pcr rsv hpv hsv vzv cmv ebv mrsa
    vre esbl cdiff tb bcg mmr tdap dtap ppd ana crp esr bnp inr ptt alt ast alp ggt bun gfr egfr na cl hgb hct wbc plt mcv`,
  ),
  // Anatomy, findings, drugs and diseases that are also names or are often capitalised.
  group(
    BIT.STOP,
    `diabetes hypertension asthma cancer carcinoma stroke arthritis depression anxiety schizophrenia bipolar epilepsy migraine pneumonia bronchitis sepsis anemia obesity hepatitis cirrhosis influenza infection
    injury fracture surgery biopsy transplant dialysis chemotherapy radiation insulin metformin lisinopril amlodipine losartan metoprolol carvedilol atorvastatin simvastatin rosuvastatin warfarin heparin apixaban
    rivaroxaban clopidogrel furosemide hydrochlorothiazide spironolactone digoxin gabapentin pregabalin sertraline fluoxetine escitalopram citalopram duloxetine venlafaxine bupropion trazodone quetiapine
    olanzapine risperidone aripiprazole lithium lamotrigine levetiracetam valproate carbamazepine topiramate levodopa carbidopa donepezil memantine albuterol prednisone methylprednisolone dexamethasone
    hydrocortisone amoxicillin azithromycin ciprofloxacin levofloxacin doxycycline cephalexin ceftriaxone metronidazole fluconazole acyclovir ibuprofen naproxen acetaminophen tramadol oxycodone hydrocodone morphine
    fentanyl omeprazole pantoprazole esomeprazole famotidine ondansetron levothyroxine methotrexate hydroxychloroquine sulfasalazine adalimumab infliximab etanercept rituximab tamoxifen letrozole anastrozole
    finasteride tamsulosin sildenafil isotretinoin spironolactone semaglutide liraglutide empagliflozin dapagliflozin sitagliptin glipizide glyburide pioglitazone
    antibiotic antibiotics antidepressant antidepressants statin statins opioid opioids steroid steroids vaccine vaccines vaccination inhibitor inhibitors blocker blockers agonist agonists antagonist antagonists
    adjunct adjunctive prophylaxis screening monitoring counseling rehabilitation rehab recovery outcome outcomes survival mortality morbidity complications complication`,
  ),
  group(
    BIT.UNIT,
    `mg mcg ug g gm gram grams kg lb lbs oz ml l dl cc mm cm m km in inch inches ft feet mmhg bpm mmol mol meq iu units unit u tabs tab tablets tablet caps capsules capsule pills pill puffs drops gtt
    percent hz khz mhz gb mb kb ms sec secs seconds min mins minutes hr hrs hours hour days day weeks week wks wk months month mos mo years year yrs yr yo degrees celsius fahrenheit kcal cal calories joules watts
    mgs mls kgs packs pack beats breaths ng pg fl nm um cells copies ppm times x fold ratio weekly daily`,
  ),
];
