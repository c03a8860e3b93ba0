/** Set by the build from package.json. */
declare const QDIFF_VERSION: string | undefined;

export const version = typeof QDIFF_VERSION === 'string' ? QDIFF_VERSION : '0.0.0-source';
