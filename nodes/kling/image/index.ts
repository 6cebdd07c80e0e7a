export { normaliseBase64 } from './base64';
export { checkImage, imageLimits, readImageFacts } from './check';
export type { Checked, ImageFacts, ImageProblem } from './types';
export { checkImageUrl } from './url';
