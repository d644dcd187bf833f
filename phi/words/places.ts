import { BIT } from '../bit.ts';
import { group, type WordGroup } from './word-group.ts';

export const PLACES: readonly WordGroup[] = [
  // Well-known cities of one word; longer ones are in phrases.ts.
  group(
    BIT.CITY,
    `chicago houston phoenix philadelphia dallas austin jacksonville columbus charlotte indianapolis seattle denver washington boston nashville detroit portland memphis
    louisville baltimore milwaukee albuquerque tucson fresno sacramento mesa atlanta omaha raleigh miami oakland minneapolis tulsa tampa arlington wichita cleveland
    bakersfield aurora anaheim honolulu riverside lexington stockton henderson cincinnati pittsburgh greensboro anchorage plano lincoln orlando irvine newark toledo
    durham laredo madison chandler buffalo lubbock scottsdale reno glendale gilbert norfolk chesapeake garland irving hialeah fremont boise richmond spokane tacoma
    modesto fontana birmingham oxnard fayetteville rochester amarillo yonkers montgomery akron huntsville augusta tallahassee tempe mckinney mobile shreveport frisco
    knoxville worcester brownsville vancouver ontario chattanooga providence oceanside salem peoria eugene corona cary springfield jackson alexandria hayward lancaster
    lakewood clarksville palmdale salinas hollywood pasadena sunnyvale macon pomona escondido killeen naperville joliet bellevue rockford savannah paterson torrance
    bridgeport mcallen mesquite syracuse midland murfreesboro miramar dayton fullerton olathe orange thornton roseville denton waco surprise carrollton charleston warren
    hampton gainesville visalia columbia stamford concord kent elizabeth lafayette athens topeka fargo norman abilene wilmington hartford victorville pearland vallejo
    berkeley allentown richardson odessa arvada cambridge beaumont lansing evansville independence fairfield provo clearwater carlsbad murrieta temecula westminster
    manchester downey clovis pueblo elgin lowell antioch everett ventura centennial lakeland gresham billings inglewood hillsboro waterbury boulder greeley meridian
    lewisville davie tyler norwalk sparks burbank rialto allen renton davenport vista tuscaloosa clinton edison woodbridge kenosha vacaville trenton erie flint gary
    duluth asheville bismarck cheyenne helena juneau pierre montpelier dover annapolis harrisburg frankfort olympia bangor burlington scranton reading bethlehem camden
    hoboken brooklyn queens bronx manhattan harlem malibu compton cupertino napa sonoma monterey bloomington champaign urbana muncie kalamazoo saginaw dearborn canton
    youngstown biloxi gulfport hattiesburg pensacola sarasota naples greenville spartanburg roanoke lynchburg bethesda rockville schenectady albany utica ithaca
    binghamton poughkeepsie quincy brockton nantucket portsmouth nashua missoula bozeman casper laramie aspen vail flagstaff sedona yuma ogden yakima bellingham bend
    medford corvallis fairbanks hilo galveston texarkana branson joplin dubuque mankato racine oshkosh appleton minot plymouth princeton oxford selma tuskegee roswell
    marietta decatur valdosta hickory gastonia wheeling morgantown parkersburg owensboro paducah london paris berlin madrid rome vienna amsterdam brussels lisbon dublin
    edinburgh glasgow liverpool leeds bristol sheffield cardiff belfast newcastle nottingham leicester southampton brighton munich hamburg frankfurt cologne stuttgart
    dusseldorf dortmund leipzig dresden hanover nuremberg bremen zurich geneva basel bern lausanne lyon marseille nice toulouse bordeaux lille strasbourg nantes
    montpellier barcelona valencia seville malaga bilbao zaragoza milan turin florence venice bologna genoa palermo verona stockholm gothenburg malmo uppsala oslo bergen
    trondheim copenhagen aarhus odense helsinki tampere turku espoo reykjavik warsaw krakow gdansk wroclaw poznan lodz prague brno bratislava budapest debrecen bucharest
    sofia belgrade zagreb ljubljana maribor sarajevo skopje thessaloniki nicosia istanbul ankara izmir moscow kiev kyiv minsk riga vilnius tallinn tokyo osaka kyoto
    yokohama nagoya sapporo kobe fukuoka hiroshima beijing shanghai guangzhou shenzhen chengdu wuhan taipei seoul busan incheon bangkok hanoi saigon manila cebu jakarta
    surabaya bandung mumbai delhi bangalore bengaluru chennai kolkata hyderabad pune ahmedabad jaipur lucknow karachi lahore islamabad dhaka colombo kathmandu kabul
    tehran baghdad basra damascus aleppo beirut amman jerusalem haifa riyadh jeddah mecca dubai doha cairo casablanca rabat tunis algiers tripoli khartoum nairobi
    mombasa kampala kigali lagos abuja accra dakar abidjan kinshasa luanda harare lusaka johannesburg pretoria durban sydney melbourne brisbane perth adelaide canberra
    hobart darwin auckland wellington christchurch toronto montreal calgary edmonton ottawa winnipeg quebec halifax hamilton mississauga saskatoon regina guadalajara
    monterrey tijuana cancun puebla merida juarez havana kingston managua tegucigalpa bogota medellin cali caracas quito guayaquil lima cusco santiago valparaiso cordoba
    rosario montevideo asuncion brasilia salvador recife fortaleza curitiba manaus porto rotterdam utrecht eindhoven antwerp ghent bruges salzburg graz linz innsbruck
    cork galway limerick aberdeen dundee swansea`,
  ),
  group(
    BIT.STATE,
    `alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois indiana iowa kansas kentucky louisiana maine maryland
    massachusetts michigan minnesota mississippi missouri montana nebraska nevada ohio oklahoma oregon pennsylvania tennessee texas utah vermont virginia washington
    wisconsin wyoming`,
  ),
  group(
    BIT.STATE_CODE,
    'al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx ut vt va wa wv wi wy dc pr ab bc mb nb nl ns on pe qc sk yt nsw vic qld tas gu vi aa ae ap',
  ),
  group(
    BIT.COUNTRY | BIT.STOP,
    `afghanistan albania algeria andorra angola argentina armenia australia austria azerbaijan bahamas bahrain bangladesh barbados belarus belgium belize benin bhutan
    bolivia bosnia botswana brazil brunei bulgaria burundi cambodia cameroon canada chad chile china colombia congo croatia cuba cyprus czechia denmark djibouti dominica
    ecuador egypt eritrea estonia eswatini ethiopia fiji finland france gabon gambia germany ghana greece greenland grenada guatemala guinea guyana haiti honduras
    hungary iceland india indonesia iran iraq ireland israel italy jamaica japan kazakhstan kenya kiribati korea kosovo kuwait kyrgyzstan laos latvia lebanon lesotho
    liberia libya liechtenstein lithuania luxembourg macedonia madagascar malawi malaysia maldives mali malta mauritania mauritius mexico micronesia moldova monaco
    mongolia montenegro morocco mozambique myanmar namibia nepal netherlands nicaragua niger nigeria norway oman pakistan palau palestine panama paraguay peru
    philippines poland portugal qatar romania russia rwanda samoa senegal serbia seychelles singapore slovakia slovenia somalia spain sudan suriname sweden switzerland
    syria taiwan tajikistan tanzania thailand togo tonga tunisia turkey turkmenistan tuvalu uganda ukraine uruguay uzbekistan vanuatu vatican venezuela vietnam wales
    scotland england yemen zambia zimbabwe america europe asia africa antarctica caribbean britain usa uk uae eu american mexican canadian british english irish scottish
    welsh french german italian spanish portuguese dutch belgian swiss austrian swedish norwegian danish finnish icelandic polish czech slovak hungarian romanian
    bulgarian greek turkish russian ukrainian serbian croatian slovenian chinese japanese korean vietnamese thai filipino indonesian malaysian indian pakistani
    bangladeshi iranian persian iraqi syrian lebanese israeli jewish arab arabic egyptian moroccan african nigerian kenyan ethiopian ghanaian somali australian brazilian
    argentine argentinian chilean colombian peruvian cuban dominican haitian jamaican hispanic latino latina european asian ashkenazi caucasian mediterranean muslim
    christian hindu buddhist catholic`,
  ),
  group(
    BIT.STREET,
    `street st avenue ave av road rd boulevard blvd lane ln drive dr court ct way place pl parkway pkwy highway hwy terrace ter circle cir square sq trail trl loop alley plaza crescent close mews row trafficway
    turnpike tpke expressway freeway fwy pike run path crossing landing cove ridge bypass route strasse str rue via calle avenida gade gata vej weg laan straat ulica utca ul str apo fpo dpo psc cours chemin quai allee impasse boulevar box apt apartment suite ste rua av travessa praca piazza corso viale strada paseo camino carrera ruta plac aleja esplanade grove gardens mall crossroad postfach postbus apartado casilla postboks rakpart utja korut krt fasor namesti trg calea aleea bulevardul soseaua alameda estrada ladeira largo rodovia vicolo contrada carretera sentier faubourg jalan lorong sokak caddesi iela gatve puiestee katu platz allee gasse`,
  ),
  group(BIT.DIRECTION, 'n s e w ne nw se sw north south east west northeast northwest southeast southwest'),
  group(
    BIT.CITY_PART,
    'city springs falls beach heights hills hill valley park grove lake lakes creek river island islands harbor bay point village town township borough county parish precinct district junction port ridge shores gardens oaks pines mesa vista',
  ),
];
