import { hashWord, wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { LOWER } from '../lexer.ts';
import {
  flagsAt,
  gapBefore,
  hashAt,
  isCapitalised,
  isNumber,
  isWord,
  lengthAt,
  shapeAt,
  type View,
  wordAt,
} from '../view.ts';
import { isWide } from './name-shape.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

/** Words and endings that make a street of the words around them, of many countries. */

const VIA = hashWord('via');
const SHORT_STREETS = wordSet('ul u str av c pl r bd jl al nam g');
/** Street words that are English words or short forms too: they count where a house number follows them and a name stands before. */
const NUMBERED = wordSet(
  'ut utja ter krt korut sor rakpart fasor tee tie gate vei alle allee ring weg u ul cad sok mnt pst nam trida katu kuja vag plass torg plads plads sokak caddesi iela gatve trg cesta ulice namesti nabrezi',
);

/** `Erzsébet tér 92`, `Luite tee 71`: the street word between a name and a house number. */
export function isNumberedStreet(view: View, at: number): boolean {
  if (!NUMBERED.has(hashAt(view, at)) || !isWord(view, at)) return false;
  const gap = gapBefore(view, at + 1);
  if (!isNumber(view, at + 1) || lengthAt(view, at + 1) > 4 || gap <= 0 || (gap & ~(GAP.SPACE | GAP.PERIOD)) !== 0)
    return false;
  return (
    gapBefore(view, at) === GAP.SPACE &&
    (isCapitalised(view, at - 1) || isUnknown(view, at - 1) || (isWide(view, at) && isWord(view, at - 1)))
  );
}

/** A lower-case word of three letters or more that no English list holds. */
export function isUnknown(view: View, at: number): boolean {
  return (
    isWord(view, at) &&
    shapeAt(view, at) === LOWER &&
    lengthAt(view, at) >= 3 &&
    gapBefore(view, at) > 0 &&
    (isWide(view, at) || (flagsAt(view, at) & (BIT.COMMON | BIT.STOP | BIT.UNIT | BIT.CLINICAL)) === 0)
  );
}

/** European streets carry the word inside: `Hauptstraße`, `Storgatan`, `Kerkstraat`. */
const STREET_ENDING =
  /(?:stra(?:ss|s)e|strasse|strae|gasse|gatan|gata|gate|gaten|vagen|vegen|veien|vej|vei|gade|straat|weg|laan|plein|dreef|steeg|kade|tie|katu|kuja|polku|utca|ulica|platz|allee|ring|damm|ufer|markt|vagur|stigur|vegur|gotu|tn|puiestee|tee|braut|hof|pad|singel|gracht)$/;

/** Street words that stand before the name, in any case: `24 rue du Bac`. */
const PREFIXED = wordSet(
  'rue via avenue boulevard place cours chemin quai calle rua avenida travessa viale piazza corso strada strada calea aleea bulevardul soseaua alameda estrada ladeira largo rodovia praca vicolo contrada carretera camino paseo plaza ronda impasse allee sentier faubourg ulica trg jalan lorong',
);

export function isStreetWord(view: View, at: number, number: number): boolean {
  // `ul. Długa 7`, `Kossuth u. 12`, `24 ul. miła 131`
  if ((gapBefore(view, at + 1) & GAP.PERIOD) !== 0 && SHORT_STREETS.has(hashAt(view, at)))
    return isCapitalised(view, at + 1) || isNumber(view, at + 1) || (at === number + 1 && isUnknown(view, at + 1));
  if (isNumberedStreet(view, at)) return true;
  if ((flagsAt(view, at) & BIT.STREET) !== 0) {
    const more = isCapitalised(view, at + 1) || (flagsAt(view, at + 1) & BIT.PARTICLE) !== 0;
    if (at === number + 1 && PREFIXED.has(hashAt(view, at)))
      return more || (hashAt(view, at) !== VIA && isUnknown(view, at + 1));
    if (at === number + 1) return lengthAt(view, at) > 2 && isCapitalised(view, at) && more;
    return (
      isCapitalised(view, at) || (isCapitalised(view, at - 1) && lengthAt(view, at) > 2) || lengthAt(view, at) >= 4
    );
  }
  return endsAsStreet(view, at);
}

export function endsAsStreet(view: View, at: number): boolean {
  if ((flagsAt(view, at) & (BIT.COMMON | BIT.CLINICAL | BIT.STOP)) !== 0 || lengthAt(view, at) < 7) return false;
  const word = wordAt(view, at);
  if (word.length < 7) return false;
  return STREET_ENDING.test(word) || (word.endsWith('str') && (gapBefore(view, at + 1) & GAP.PERIOD) !== 0);
}
