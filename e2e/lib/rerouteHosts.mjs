// Loaded into an n8n with `node --import`: requests to hosts on the internet go to a stand-in on localhost.
// KLING_STAND_INS says which: {"sheets.googleapis.com": "http://127.0.0.1:4711"}.
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';

const standIns = JSON.parse(process.env.KLING_STAND_INS ?? '{}');
const request = https.request;

/** The same request, unencrypted, to the stand-in. The Host header still names the intended host. */
function rerouted(options, standIn) {
	const { hostname, port } = new URL(standIn);
	const own = { protocol: 'http:', host: hostname, hostname, port, agent: undefined };
	return { ...options, ...own };
}

https.request = function rerouteRequest(options, ...rest) {
	const standIn = standIns[options?.hostname ?? options?.host];
	if (!standIn) return request.call(this, options, ...rest);
	return http.request(rerouted(options, standIn), ...rest);
};
syncBuiltinESMExports();
