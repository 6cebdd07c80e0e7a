/**
 * What to do about a certificate that Node.js does not trust.
 *
 * @param code of Node.js: https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
export function adviceOnCertificate(code: string | null): string {
	if (/EXPIRED|NOT_YET_VALID/.test(code ?? '')) {
		return 'It is not valid at this time: check the clock of the machine that runs n8n, and the address.';
	}
	if (/ALTNAME|HOSTNAME/.test(code ?? '')) return 'It belongs to another host: check the address.';
	return 'If your network inspects traffic or the address is your own gateway, set the environment variable NODE_EXTRA_CA_CERTS of n8n to the file with its root certificate, and restart n8n.';
}
