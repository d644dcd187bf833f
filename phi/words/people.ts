import { BIT } from '../bit.ts';
import { group, type WordGroup } from './word-group.ts';

export const PEOPLE: readonly WordGroup[] = [
  group(
    BIT.TITLE | BIT.STOP,
    'dr drs doctor mr mrs ms mx miss prof professor sir madam hon rev reverend sgt capt captain col lt maj pvt sr sra srta senor senora mme mlle monsieur herr frau',
  ),
  group(
    BIT.CREDENTIAL | BIT.STOP,
    'md do rn np pa pac lpn lvn cna dnp aprn crna fnp phd psyd pharmd rph dds dmd dpm lcsw lmft lpc msw mph msn bsn facs facp faan faap frcp mbbs bcps ccc slp otr dpt pt ot od dc ma bs ba jr ii iii iv esq',
  ),
  group(
    BIT.ROLE,
    `patient pt patients client resident mother father mom dad son daughter wife husband spouse brother sister aunt uncle grandmother grandfather grandson granddaughter niece nephew cousin
    partner kid fiance fiancee guardian caregiver parent child named called physician provider attending surgeon nurse therapist cardiologist oncologist neurologist psychiatrist dermatologist radiologist
    pathologist pediatrician gastroenterologist nephrologist pulmonologist urologist endocrinologist hematologist rheumatologist ophthalmologist gynecologist obstetrician hospitalist internist resident
    pcp gp colleague friend neighbor employer contact name names author dictated signed transcribed`,
  ),
  group(
    BIT.PARTICLE,
    'dalla dello delle degli des aux sur sous het op de van von der den de del della di da du la le los las el al bin ibn ben abu dos das do san st mac ter ten af av zu dal',
  ),
  group(
    BIT.GIVEN,
    `liam noah aiden jayden mason logan ayden caden brayden kayden ethan oliver lucas aria zoe zoey luna mila nora hazel aurora savannah skylar nevaeh khloe isla ellie paisley
    muhammad mohammed mohamed ahmed ali omar hassan hussein ibrahim yusuf youssef abdullah khalid fatima aisha ayesha zainab mariam layla leila noor amina yasmin samira rania
    priya anjali ananya aarav arjun rohan rahul rajesh ravi sanjay sunil vijay anil amit deepak neha pooja kavita lakshmi sunita divya meera nisha krishna suresh ramesh ganesh vikram
    wei ming jing xin yan li hui lin mei ling xiao hong chen jun hao yuki hiroshi kenji takashi akira haruto sakura naoko yuko keiko satoshi kazuki
    minh linh thuy huong lan tuan hung dung nguyet phuong trang jisoo minjun seojun jihoon hyun soo jiyoung eunji
    olga svetlana tatiana natalia ekaterina anastasia irina yelena dmitri dmitry sergei sergey vladimir mikhail nikolai alexei aleksandr boris igor oleg yuri ivan andrei pavel
    jose juan luis carlos jorge miguel angel francisco pedro antonio manuel alejandro javier diego fernando rafael eduardo ricardo sergio roberto guadalupe rosa lucia sofia valentina camila
    isabella ximena marisol esperanza joao thiago matheus gustavo felipe beatriz larissa
    lars sven bjorn anders nils magnus erik henrik ingrid astrid freja karin giovanni giuseppe luca matteo alessandro francesca chiara giulia pierre jacques jean francois michel
    claude margaux amelie celine hans klaus jurgen heinrich wolfgang ursula greta sean liam siobhan niamh aoife ciaran eoin padraig
    kwame kofi amara chidi ngozi chioma emeka oluwaseun adebayo folake ayodele babatunde tunde nnamdi zanele thabo sipho makena wanjiku kamau`,
  ),
  group(
    BIT.SURNAME | BIT.SURNAME_TOP,
    'doe roe white black brown green gray young king long day bell price wood woods stone cook bush rose hill fox hunt cross',
  ),
  group(
    BIT.SURNAME,
    `oconnor obrien oneill odonnell dangelo damico nguyen tran pham huynh vu vo dang bui ngo duong ly kim lee park choi jung kang cho yoon jang lim patel shah singh kumar sharma gupta khan
    ahmed ali hussain rahman chowdhury wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo lin he gao luo tanaka suzuki sato watanabe yamamoto nakamura kobayashi
    ivanov petrov kovalev smirnov popov volkov kuznetsov okafor okonkwo adeyemi mensah diallo traore ndiaye mbeki mwangi otieno`,
  ),
];
