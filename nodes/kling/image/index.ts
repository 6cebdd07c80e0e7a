export { normaliseBase64 } from './base64';
export { checkImage, imageLimits, readImageFacts } from './check';
export type { ImageFacts } from './types';
export { checkImageUrl } from './url';
