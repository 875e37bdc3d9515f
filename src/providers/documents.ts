import type { DocumentType, Result } from '../domain/result.ts';

/*
 * Fields that a provider read on a card, whatever it calls them: as printed on the card, or in lower case with
 * underscores.
 */

/** Our name of a field by what providers call it, both written as `nameOf` does. Names that are not here stay. */
const NAMES = new Map(
  Object.entries({
    // IdentifAI documents the regency under an empty name.
    '': 'kabupaten_kota',
    kabupaten: 'kabupaten_kota',
    kota: 'kabupaten_kota',
    kota_kabupaten: 'kabupaten_kota',
    golongan_darah: 'gol_darah',
    kelurahan_desa: 'kel_desa',
    kelurahan: 'kel_desa',
    desa: 'kel_desa',
    tgl_lahir: 'tanggal_lahir',
    status: 'status_perkawinan',
    no_npwp: 'npwp',
    nomor_npwp: 'npwp',
    no_sim: 'nomor_sim',
  }),
);

/** What both are printed as on one line of the card. */
const BIRTH: readonly string[] = ['tempat_tgl_lahir', 'tempat_tanggal_lahir', 'ttl'];

const nameOf = (label: string): string =>
  label
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');

/**
 * The fields of a card in one spelling; null where none could be read.
 * @param found the provider's entry, or entries, of the card
 */
export function readDocument(found: unknown, type: DocumentType): Result['document'] {
  const fields: Record<string, string> = {};
  for (const entry of Array.isArray(found) ? (found as readonly unknown[]) : [found]) {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) continue;
    for (const [label, value] of Object.entries(entry)) {
      const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
      if (text === '') continue;
      const name = nameOf(label);
      if (BIRTH.includes(name)) Object.assign(fields, readBirth(text));
      else
        fields[NAMES.get(name) ?? name] = name.startsWith('rt_rw') ? text.replace(/\s*[/\s]\s*/, '/') : text;
    }
  }
  return Object.keys(fields).length > 0 ? { type, fields } : null;
}

/** Place and date stand on one line, with a comma between them or without. */
function readBirth(text: string): Record<string, string> {
  const parts = /^(.*?)[\s,]*(\d{1,2}\s*[-/. ]\s*\d{1,2}\s*[-/. ]\s*\d{4})$/.exec(text);
  const [, place = '', date = ''] = parts ?? ['', text];
  return {
    ...(place === '' ? {} : { tempat_lahir: place }),
    ...(date === '' ? {} : { tanggal_lahir: date.replace(/\s*[-/. ]\s*/g, '-') }),
  };
}
