export { normaliseBase64 } from './base64';
export { checkFileSize, checkImage, imageLimits } from './check';
export { checkImageUrl } from './url';
