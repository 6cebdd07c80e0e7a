import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * The two services of n8n's queue mode, where their own tools would look for them: PGHOST, PGPORT,
 * PGUSER, PGPASSWORD and PGDATABASE name PostgreSQL, REDIS_URL names Redis.
 */
export function servicesOf(env = process.env) {
	const redis = new URL(env.REDIS_URL || 'redis://127.0.0.1:6379');
	return {
		postgres: {
			host: env.PGHOST || '127.0.0.1',
			port: Number(env.PGPORT || 5432),
			user: env.PGUSER || userInfo().username,
			password: env.PGPASSWORD || '',
			/** The database to connect to while the run's own one is created and dropped. */
			database: env.PGDATABASE || 'postgres',
		},
		redis: {
			host: redis.hostname,
			port: Number(redis.port || 6379),
			username: decodeURIComponent(redis.username),
			password: decodeURIComponent(redis.password),
			db: Number(redis.pathname.slice(1) || 0),
		},
	};
}

const help = `The queue tests need PostgreSQL and Redis. They create their own database and drop it afterwards.
They are looked for where PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE and REDIS_URL say
(127.0.0.1:5432 as you, database "postgres", and redis://127.0.0.1:6379 if these are not set).

To start them with Docker:
  docker run -d -p 5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust postgres:16
  docker run -d -p 6379:6379 redis:7
  PGUSER=postgres npm run test:queue

Or, where they are installed:
  pg_ctlcluster 16 main start     (or: systemctl start postgresql)
  redis-server --daemonize yes    (or: systemctl start redis)`;

/** What is missing, worded for the person at the terminal; null if both respond. */
export async function whatIsMissing({ postgres, redis }) {
	const checks = [
		[`PostgreSQL at ${postgres.host}:${postgres.port}`, askPostgres(postgres)],
		[`Redis at ${redis.host}:${redis.port}`, askRedis(redis)],
	];
	const missing = [];
	for (const [name, answer] of checks) {
		const problem = await answer;
		if (problem) missing.push(`${name}: ${problem}`);
	}
	return missing.length === 0 ? null : [...missing, '', help].join('\n');
}

/** Sends a few bytes and returns the response as soon as `isEnough` is satisfied. */
async function firstAnswer(target, request, isEnough) {
	return await new Promise((resolve, reject) => {
		const socket = connect(target);
		let answer = Buffer.alloc(0);
		const end = (settle, value) => {
			socket.destroy();
			settle(value);
		};
		socket.setTimeout(5_000, () => end(reject, new Error('does not answer')));
		socket.once('connect', () => socket.write(request));
		socket.on('data', (data) => {
			answer = Buffer.concat([answer, data]);
			if (isEnough(answer)) end(resolve, answer);
		});
		socket.once('error', (error) => end(reject, error));
		socket.once('close', () => reject(new Error('closed the connection')));
	});
}

/** @returns why PostgreSQL cannot be used, or null */
async function askPostgres({ host, port, user, database }) {
	// The start of a session: length, protocol 3.0, names and values that end with a zero each.
	const words = Buffer.from(`user\0${user}\0database\0${database}\0\0`);
	const head = Buffer.alloc(8);
	head.writeInt32BE(head.length + words.length, 0);
	head.writeInt32BE(3 << 16, 4);
	const target = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
	try {
		const request = Buffer.concat([head, words]);
		const answer = await firstAnswer(target, request, (bytes) => verdictOf(bytes) !== undefined);
		return verdictOf(answer);
	} catch (error) {
		return reasonOf(error);
	}
}

/** What PostgreSQL's messages amount to: null when it is ready, a reason when not, undefined to read on. */
function verdictOf(bytes) {
	for (let at = 0; at + 5 <= bytes.length;) {
		const type = bytes.toString('latin1', at, at + 1);
		const end = at + 1 + bytes.readInt32BE(at + 1);
		const isPassword = type === 'R' && bytes.length >= at + 9 && bytes.readInt32BE(at + 5) !== 0;
		// It asks for a password, which is given later, or it is ready.
		if (isPassword || type === 'Z') return null;
		if (type === 'E') {
			const texts = bytes.toString('utf8', at + 5, end).split('\0');
			return texts.find((text) => text.startsWith('M'))?.slice(1) ?? 'refuses the connection';
		}
		if (!'RSKN'.includes(type)) return 'is no PostgreSQL';
		at = end;
	}
	return undefined;
}

/** @returns why Redis cannot be used, or null */
async function askRedis({ host, port }) {
	try {
		const answer = (await firstAnswer({ host, port }, 'PING\r\n', () => true)).toString();
		// NOAUTH: it responds, and the password is used later.
		return /^\+PONG|^-NOAUTH/.test(answer) ? null : `answers “${answer.trim().slice(0, 80)}”`;
	} catch (error) {
		return reasonOf(error);
	}
}

function reasonOf(error) {
	return error.code === 'ECONNREFUSED' ? 'nothing listens there' : (error.message ?? error.code);
}

/** A driver that comes with n8n. */
function driver(install, name) {
	return createRequire(join(install.dir, 'node_modules', 'n8n', 'package.json'))(name);
}

async function runSql(install, postgres, sql) {
	const { Client } = driver(install, 'pg');
	const client = new Client({ ...postgres, password: postgres.password || undefined });
	await client.connect();
	try {
		return await client.query(sql);
	} finally {
		await client.end();
	}
}

export async function createDatabase(install, { postgres }, name) {
	await runSql(install, postgres, `CREATE DATABASE "${name}"`);
}

export async function dropDatabase(install, { postgres }, name) {
	await runSql(install, postgres, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
}

/** A connection to Redis; call `disconnect()` when it is not needed any more. */
export function connectRedis(install, { redis }) {
	const { host, port, username, password, db } = redis;
	const Redis = driver(install, 'ioredis');
	return new Redis({
		...{ host, port, db },
		...(username && { username }),
		...(password && { password }),
	});
}

/** Forgets all that n8n has kept in Redis under these names. */
export async function clearRedis(install, services, prefixes) {
	const client = connectRedis(install, services);
	try {
		for (const prefix of prefixes) {
			// n8n writes a Bull prefix in braces where Redis is a cluster.
			for (const match of [`${prefix}:*`, `{${prefix}}:*`]) {
				for await (const keys of client.scanStream({ match, count: 500 })) {
					if (keys.length > 0) await client.del(...keys);
				}
			}
		}
	} finally {
		client.disconnect();
	}
}

/** n8n's settings for queue mode on these services, the same for main and workers. */
export function queueEnv({ postgres, redis }, { database, prefix }) {
	return {
		EXECUTIONS_MODE: 'queue',
		OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS: 'true',
		DB_TYPE: 'postgresdb',
		DB_POSTGRESDB_HOST: postgres.host,
		DB_POSTGRESDB_PORT: String(postgres.port),
		DB_POSTGRESDB_USER: postgres.user,
		DB_POSTGRESDB_PASSWORD: postgres.password,
		DB_POSTGRESDB_DATABASE: database,
		QUEUE_BULL_REDIS_HOST: redis.host,
		QUEUE_BULL_REDIS_PORT: String(redis.port),
		QUEUE_BULL_REDIS_DB: String(redis.db),
		...(redis.username && { QUEUE_BULL_REDIS_USERNAME: redis.username }),
		...(redis.password && { QUEUE_BULL_REDIS_PASSWORD: redis.password }),
		QUEUE_BULL_PREFIX: prefix,
		N8N_REDIS_KEY_PREFIX: prefix,
		// A dead worker's executions are noticed after seconds rather than a minute.
		QUEUE_WORKER_LOCK_DURATION: '8000',
		QUEUE_WORKER_LOCK_RENEW_TIME: '2000',
		QUEUE_WORKER_STALLED_INTERVAL: '4000',
		// n8n 1 hands over a dead worker's execution this many times; n8n 2 never does.
		QUEUE_WORKER_MAX_STALLED_COUNT: '3',
	};
}
