export { decodeBase64 } from './base64';
export { checkFileSize, checkImage, imageLimits } from './check';
export { foreignTypeOf, imageTypeOf } from './type';
export { checkImageUrl } from './url';
