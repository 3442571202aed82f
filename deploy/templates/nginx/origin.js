// Signs an edge's requests to the origin: the object's path with AWS Signature Version 4 (in headers, GET, no body).
// `origin` is a file that marquee.platform.programs.edges writes: {accessKey, secretKey, region, host, path}. Nothing is logged.
// A signature is valid for one path and some minutes, so each cache miss makes a new one. A hit makes none.

import crypto from 'crypto';

const NO_BODY = crypto.createHash('sha256').update('').digest('hex');
const SIGNED = 'host;x-amz-content-sha256;x-amz-date';

// The path that is sent and signed, escaped as S3's canonical form requires.
function path(r) {
    return origin.path + '/' + r.variables.object.split('/').map(encodeURIComponent).join('/');
}

// 20260131T235959Z
function date() {
    return new Date().toISOString().replace(/[-:]|\.\d+/g, '');
}

function content() {
    return NO_BODY;
}

function authorization(r) {
    const date = r.variables.origin_date;
    const scope = `${date.slice(0, 8)}/${origin.region}/s3/aws4_request`;
    const headers = `host:${origin.host}\nx-amz-content-sha256:${NO_BODY}\nx-amz-date:${date}\n`;
    const request = ['GET', r.variables.origin_path, '', headers, SIGNED, NO_BODY].join('\n');
    const digest = crypto.createHash('sha256').update(request).digest('hex');
    const key = scope.split('/').reduce(
        (key, part) => crypto.createHmac('sha256', key).update(part).digest(), 'AWS4' + origin.secretKey);
    const signature = crypto.createHmac('sha256', key)
        .update(['AWS4-HMAC-SHA256', date, scope, digest].join('\n')).digest('hex');
    return `AWS4-HMAC-SHA256 Credential=${origin.accessKey}/${scope},SignedHeaders=${SIGNED},Signature=${signature}`;
}

export default {path, date, content, authorization};
