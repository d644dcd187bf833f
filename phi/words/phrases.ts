/** Names of two and more words; a word is folded, words are joined by `_`. A phrase counts where its words stand in a row. */

/** Well-known cities. */
export const CITY_PHRASES = `
    new_york los_angeles san_antonio san_diego san_jose fort_worth san_francisco el_paso oklahoma_city las_vegas kansas_city colorado_springs long_beach virginia_beach
    new_orleans santa_ana corpus_christi saint_paul st_paul st_louis saint_louis chula_vista fort_wayne jersey_city st_petersburg winston_salem north_las_vegas
    baton_rouge des_moines san_bernardino santa_clarita moreno_valley huntington_beach salt_lake_city grand_rapids little_rock port_st_lucie grand_prairie overland_park
    cape_coral fort_lauderdale sioux_falls newport_news rancho_cucamonga santa_rosa elk_grove garden_grove pembroke_pines fort_collins west_valley_city coral_springs
    cedar_rapids sterling_heights new_haven santa_clara round_rock thousand_oaks simi_valley ann_arbor sugar_land college_station west_jordan el_monte palm_bay
    costa_mesa north_charleston miami_gardens high_point pompano_beach west_palm_beach broken_arrow sandy_springs jurupa_valley santa_maria daly_city west_covina
    league_city san_mateo green_bay wichita_falls el_cajon las_cruces south_bend san_angelo santa_fe carson_city staten_island santa_monica beverly_hills palo_alto
    mountain_view redwood_city walnut_creek santa_cruz santa_barbara san_luis_obispo terre_haute daytona_beach boca_raton key_west myrtle_beach hilton_head silver_spring
    white_plains new_rochelle long_island fort_smith sioux_city eau_claire la_crosse grand_forks rapid_city cape_cod chapel_hill coral_gables delray_beach hong_kong
    ho_chi_minh_city kuala_lumpur new_delhi tel_aviv abu_dhabi addis_ababa cape_town mexico_city san_juan santo_domingo port_au_prince san_salvador la_paz buenos_aires
    sao_paulo rio_de_janeiro porto_alegre belo_horizonte`;

/** States, provinces and countries: they may stay. */
export const STATE_PHRASES = `
    new_hampshire new_jersey new_mexico new_york north_carolina north_dakota rhode_island south_carolina south_dakota west_virginia puerto_rico district_of_columbia
    united_states united_kingdom united_arab saudi_arabia south_africa south_korea north_korea new_zealand costa_rica el_salvador sri_lanka sierra_leone papua_new
    czech_republic dominican_republic hong_kong burkina_faso ivory_coast cape_verde san_marino trinidad_and middle_east latin_america south_america north_america
    central_america southeast_asia`;

/** Hospitals and health systems. */
export const FACILITY_PHRASES = `
    mayo_clinic johns_hopkins mass_general massachusetts_general mount_sinai mt_sinai cedars_sinai md_anderson md_anderson nyu_langone kaiser_permanente sloan_kettering
    memorial_sloan cleveland_clinic beth_israel brigham_and duke_health duke_university penn_medicine penn_state mass_eye dana_farber city_of_hope loma_linda
    baylor_scott barnes_jewish childrens_national boston_childrens texas_childrens nationwide_childrens intermountain_health banner_health sutter_health dignity_health
    tampa_general grady_memorial cook_county ben_taub henry_ford rush_university northwestern_memorial walter_reed lenox_hill hackensack_meridian robert_wood
    weill_cornell columbia_presbyterian stony_brook bellevue_hospital harbor_ucla keck_medicine froedtert_hospital`;

/** Diseases, scales and substances that hold a place's or a person's name. */
export const CLINICAL_PHRASES = `
    new_york_heart west_nile rocky_mountain spanish_flu lou_gehrig lou_gehrigs down_syndrome grand_mal petit_mal long_covid mini_cog mini_mental hong_kong_flu
    japanese_encephalitis tokyo_guidelines mayo_score boston_brace bristol_stool cincinnati_stroke denver_shunt minnesota_tube vancouver_classification
    philadelphia_chromosome philadelphia_collar boston_naming boston_criteria los_angeles_classification rome_criteria rome_iv rome_iii edinburgh_postnatal geneva_score
    toronto_score oxford_score dallas_criteria paris_classification vienna_classification chicago_classification milan_criteria berlin_definition berlin_questionnaire
    amsterdam_criteria duke_criteria duke_treadmill helsinki_declaration sydney_classification montreal_cognitive montreal_classification glasgow_coma ann_arbor
    baltimore_criteria seattle_heart seattle_angina kansas_city_cardiomyopathy stanford_classification hong_kong_protocol atlanta_classification lyme_disease
    columbia_suicide johns_hopkins_guide marburg_virus ebola_virus lassa_fever ross_river saint_louis_encephalitis st_louis_encephalitis eastern_equine
    la_crosse_encephalitis black_death christmas_disease easter_egg may_thurner pott_puffy st_johns_wort st_johns_wort saint_johns_wort will_rogers gold_standard
    four_corners lone_star`;
