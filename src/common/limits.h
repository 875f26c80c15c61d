/*
 * limits.h - every bound on what a peer can make us do, with its reason.
 *
 * One place per limit.  Each has a negative test that names it.  A limit that
 * operators may want to move is a setting (settings.def) whose range is bounded
 * by a value from here.
 */
#ifndef BF_COMMON_LIMITS_H
#define BF_COMMON_LIMITS_H

/* --- frames between our processes (proto/) --- */

#define LIMIT_FRAME_CONTROL_BYTES	(64 * 1024)		/* fd 3 and the control socket */
#define LIMIT_FRAME_RECORD_BYTES	(2 * 1024 * 1024 + 4096) /* fd 4: one record and its key */
#define LIMIT_CHANNEL_QUEUE_BYTES	(8 * 1024 * 1024)	/* unsent, then the peer is dropped */
#define LIMIT_CHANNEL_FRAMES_PER_TURN	256			/* read per peer and loop turn */
#define LIMIT_CHANNEL_LAST_WORDS_BYTES	(1024 * 1024)		/* read of a peer that has died */
#define LIMIT_CHANNEL_FDS		16			/* descriptors under way, each direction */
#define LIMIT_SETTING_BYTES		(60 * 1024)	/* one frame; 1800 admins */
#define LIMIT_CONTROL_CLIENTS		64			/* connections to control.sock */
#define LIMIT_CONTROL_FRAME_MS		5000			/* there, from a frame's first byte to its
								 * last; it takes one write */

/* --- workers and clients (supervisor/) --- */

#define LIMIT_WORKER_FILES		64	/* RLIMIT_NOFILE of a worker */
#define LIMIT_WORKER_FILE_BYTES		(64ull << 30)	/* RLIMIT_FSIZE: as LIMIT_CAR_BYTES */
#define LIMIT_WORKER_PROCESSES		64	/* and threads: resolvers, a helper or two */
#define LIMIT_USER_PROCESSES		1024	/* of the user beside the workers' */
#define LIMIT_CLIENT_PENDING		256	/* requests of a control client that wait */
#define LIMIT_WORKER_LOGS		100	/* `log` messages kept of one attempt */
#define LIMIT_WORKER_SPILL_FILES	8	/* temporary files: repositories at once */

#define LIMIT_POOL_ORDERS		4096	/* repositories that wait for a sync; 0.2 KB each */

/* --- operations (op/) --- */

#define LIMIT_DID_BYTES			2048	/* spec: DID, "max length" */
#define LIMIT_ATURI_BYTES		8192	/* spec: AT URI, 8 KB */
#define LIMIT_URL_BYTES			2048
#define LIMIT_OP_TEXT_BYTES		1024	/* error, stage, reason: longer texts are cut */
#define LIMIT_CHECKPOINT_BYTES		(16 * 1024)
#define LIMIT_OP_EVENTS			200	/* kept per operation, the oldest go */
#define LIMIT_OP_ITEMS			1000	/* failed items kept per operation; all are counted */
#define LIMIT_LIST_PAGE			100	/* operations per page of a list */
#define LIMIT_IDEMPOTENCY_KEY_BYTES	255	/* a UUID takes 36; an LMDB key 511 */
#define LIMIT_IDEMPOTENCY_KEYS		100000	/* known at a time; the oldest go */
#define LIMIT_TIER_BYTES		256	/* ours are words; an operator's own type may want more */
#define LIMIT_OP_TYPE_BYTES		64	/* the name of an executable; part of an index key */
#define LIMIT_BATCH_SIZE		100000	/* documents that a worker holds at once */

/* --- HTTP requests (api/) --- */

#define LIMIT_HTTP_REQUEST_BYTES	(16 * 1024)	/* request line and headers together */
#define LIMIT_HTTP_HEADERS		64		/* lines; a browser behind proxies sends 30 */
#define LIMIT_HTTP_PARAMS		32		/* query parameters; ours take 5 */
#define LIMIT_HTTP_BODY_BYTES		(64 * 1024)	/* an AT-URI of 8 KiB with every byte escaped */
#define LIMIT_HTTP_DISCARD_BYTES	(1024 * 1024)	/* of a refused body, read so that the answer is seen */
#define LIMIT_HTTP_JSON_DEPTH		32		/* ours are flat; bounds the parser's recursion */

/* --- who may use the API (atproto/jwt, api/) --- */

#define LIMIT_JWT_BYTES			8192	/* a DID of 2048 bytes, twice, in base64 */
#define LIMIT_JWT_LIFE_SECS		300	/* a PDS gives 60; bounds the replay set */
#define LIMIT_TOKENS_USED		50000	/* 150 a second for as long as they live */
#define LIMIT_THROTTLED_SITES		10000	/* 0.1 KB each */
#define LIMIT_IDENTITIES		10000	/* remembered; 0.5 KB each */
#define LIMIT_IDENTITY_ASKS		1000	/* that wait for a directory */

/* --- those who look on (api/) --- */

#define LIMIT_FEED_EVENTS		4096	/* kept for readers of /events that come back */
#define LIMIT_FEED_BYTES		(1024 * 1024)	/* of their texts; a minute of 4 operations */
#define LIMIT_SESSIONS			64	/* logged in; the one unused for longest goes */
#define LIMIT_METRIC_TYPES		32	/* of operation in /metrics; the rest is "other" */
#define LIMIT_SAMPLED_OPS		256	/* whose rate over time is kept; 1 KB each */

/* --- answers of servers (fetch/) --- */

#define LIMIT_FETCH_URL_BYTES		8192	/* longer ones meet limits of servers */
#define LIMIT_FETCH_HOSTS		10000	/* whose behaviour is kept; 0.5 KB each */
#define LIMIT_HOSTS_OF_DOCUMENTS	5000	/* of LIMIT_FETCH_HOSTS: anybody writes documents */
#define LIMIT_FETCH_HEADER_BYTES	(64 * 1024)	/* all headers of one answer */
#define LIMIT_FETCH_HEADERS		200	/* their lines, trailers and 1xx included */
#define LIMIT_FETCH_REDIRECTS		3	/* a PDS to its blob store needs one */
#define LIMIT_FETCH_ERROR_BODY_BYTES	(8 * 1024)	/* of an answer that is not 2xx */
#define LIMIT_FETCH_JSON_BYTES		(2 * 1024 * 1024) /* 1000 repositories: 0.3 MB */
#define LIMIT_FETCH_REPO_BYTES		(4ull << 30)	/* the largest known: about 1 GB */
#define LIMIT_FETCH_BLOB_BYTES		(50 * 1024 * 1024) /* what the lexicons of documents allow */
#define LIMIT_FETCH_TEI_BYTES		(32 * 1024 * 1024) /* 5000 references: 12 MB */
#define LIMIT_FETCH_INFLATE_RATIO	100	/* decoded to received; JSON gets 20 */
#define LIMIT_FETCH_INFLATE_FREE_BYTES	(256 * 1024)	/* decoded before it counts */
#define LIMIT_FETCH_REFUSALS		10	/* 429s that one request waits for */
#define LIMIT_FETCH_RETRY_AFTER_MIN_MS	1000
#define LIMIT_FETCH_RETRY_AFTER_MAX_MS	(15 * 60 * 1000) /* more would stall a scan */

#define LIMIT_LIST_CURSOR_BYTES		512	/* of a list's page; theirs have 50 */
#define LIMIT_LIST_PAGE_ENTRIES		1000	/* the lexicons' most, whatever is asked for */
#define LIMIT_LIST_EMPTY_PAGES		20	/* in a row, each with a cursor */
#define LIMIT_LIST_REPOS		(20u * 1000 * 1000) /* of one server; the largest has < 1 M */
#define LIMIT_WANTED_REPOS		(200u * 1000) /* on a relay's lists of wanted collections; 8 B each */

/* --- repositories (atproto/) --- */

#define LIMIT_HANDLE_BYTES		253	/* spec: Handle; a DNS name */
#define LIMIT_CAR_HEADER_BYTES		4096	/* one root takes 58; further ones are ignored */
#define LIMIT_CAR_BLOCK_BYTES		(2 * 1024 * 1024) /* no writer makes one over 1 MiB */
#define LIMIT_CAR_BYTES			(64ull << 30)	/* an index entry has 37 bits of offset */
#define LIMIT_CAR_BLOCKS		(64u << 20)	/* 13 bytes of memory each; all repositories at
							 * once share it */
#define LIMIT_RECORD_BYTES		(1024 * 1024)	/* spec: record size, 1 MiB */
#define LIMIT_CBOR_DEPTH		32		/* spec: as the Go implementation */
#define LIMIT_CBOR_ENTRIES		(128 * 1024)	/* likewise, per map or array */
#define LIMIT_COMMIT_BYTES		8192	/* a DID of 2048 bytes and much room */
#define LIMIT_REV_AHEAD_US		(5 * 60 * 1000000ll) /* spec: a few minutes of drift */
#define LIMIT_MST_NODE_BYTES		(256 * 1024)	/* mined keys can fill one node */
#define LIMIT_MST_NODE_ENTRIES		1024	/* 4 on average; chance alone gives < 100 */
#define LIMIT_MST_KEY_BYTES		1024	/* 830 is the longest NSID/RKEY */
#define LIMIT_DIDDOC_BYTES		(256 * 1024)	/* did:plc allows 4000 per operation */
#define LIMIT_JSON_RECORD_BYTES		(2 * 1024 * 1024) /* as the Go implementation */

/* --- PDFs (pdftext/, workers/): what one may cost.  A book of 1000 pages takes 10 s,
 *     100 MB and 3 MB of text --- */

#define LIMIT_PDF_MEMORY_BYTES		(1024 * 1024 * 1024ull)
#define LIMIT_PDF_CPU_SECS		60
#define LIMIT_PDF_FILES			16
#define LIMIT_PDF_WALL_MS		(120 * 1000)
#define LIMIT_PDF_TEXT_BYTES		(16 * 1024 * 1024)

/* --- the firehose (atproto/, fetch/, workers/) --- */

#define LIMIT_FRAME_BYTES		(5 * 1024 * 1024) /* spec: event stream, 5 MB */
#define LIMIT_FRAME_HEADER_BYTES	256	/* {op, t} takes 15 */
#define LIMIT_EVENT_BLOCKS_BYTES	2000000	/* lexicon: subscribeRepos, maxLength */
#define LIMIT_EVENT_OPS			200	/* likewise */
#define LIMIT_PROOF_KEY_BYTES		(8 * 1024 * 1024) /* prefixes can hide 30 times
							 * the blocks' size */

/* --- citations (citation/) --- */

#define LIMIT_CITATIONS			5000	/* of one document; a handbook has 3000 */
#define LIMIT_CITATION_TEXT_BYTES	4096	/* one text of one; a reference takes 300 */
#define LIMIT_TEI_DEPTH			64	/* GROBID's are 12 deep */
#define LIMIT_EPRINTS			4000000	/* compared with; 60 bytes of memory each */

/* --- the governance graph (workers/) --- */

#define LIMIT_GRAPH_NODES		1000000	/* 16 bytes of memory each; Chive's has */
#define LIMIT_GRAPH_EDGES		1000000	/* thousands.  8 bytes each */
#define LIMIT_GRAPH_ID_BYTES		512	/* ids are record keys, too */
#define LIMIT_GRAPH_WORD_BYTES		128	/* status, kind, system: no length in the lexicon */

/* --- the search index (search/) --- */

#define LIMIT_SEARCH_PATH_BYTES		256	/* where a field is in a record; ours have 20 */
#define LIMIT_SEARCH_FIELD_BYTES	(128 * 1024) /* of one field; abstracts have 10,000 */
#define LIMIT_SEARCH_NAME_BYTES		200	/* of an alias; OpenSearch allows 255 for an index */
#define LIMIT_BULK_DOCUMENTS		128	/* in one _bulk; each has at most 640 KB */
#define LIMIT_SEARCH_QUERY_BYTES	1024	/* typed by a person */
#define LIMIT_SEARCH_TERMS		32	/* each is a list to be merged */
#define LIMIT_SEARCH_SNIPPET_WORDS 200	/* hits in one document; its square is the cost */
#define LIMIT_SEARCH_MS			250	/* of one query in the API, which has one loop */
#define LIMIT_SEARCH_SKIP		10000	/* hits before a page: all are found again */

/* --- the index (store/, indexer/) --- */

#define LIMIT_COLLECTION_BYTES		317	/* spec: NSID, "max length" */
#define LIMIT_RKEY_BYTES		512	/* spec: record key, "max length" */
#define LIMIT_CID_BYTES			36	/* exactly: CIDv1, SHA-256 */
#define LIMIT_REV_BYTES			64	/* a TID takes 13 */
#define LIMIT_STATUS_BYTES		64	/* "desynchronized" takes 14 */
#define LIMIT_LANES			256	/* repositories that one worker has open */
#define LIMIT_READS			16	/* questions of one reader at a time */
#define LIMIT_QUESTIONS			256	/* of one worker at a time */
#define LIMIT_ROW_TABLES		255	/* a table's number is one byte on disk */
#define LIMIT_ROW_KEY_BYTES		8192	/* two AT URIs as long as they can really be */
#define LIMIT_ROW_VALUE_BYTES		(1024 * 1024)	/* as a record */
#define LIMIT_TALLY_DAYS		30	/* numbers of an operation kept; none runs so long */
#define LIMIT_STAGE_BYTES		(64ull << 30)	/* staged for one repository; as its CAR */
#define LIMIT_STAGE_MEMORY_BYTES	(1024 * 1024)	/* of it in memory, before a file */
#define LIMIT_STAGES_MEMORY_BYTES	(64 * 1024 * 1024) /* of all of them together */
#define LIMIT_GROUP_BYTES		(64 * 1024 * 1024) /* committed together; one more
							 * repository than fits */
#define LIMIT_SCAN_REST_MS	(10 * 1000)	/* that a pause waits for the repositories under
							 * way; most take less, and they are begun again */
#define LIMIT_SCAN_ROWS_PER_TURN	2048	/* of all scans; a few milliseconds */

#endif
