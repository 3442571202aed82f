// How an edge asks the origin: the path of the object, and AWS Signature Version 4 over it (header form, GET, no body).
// `origin` is a file of marquee.platform.programs.edges: {accessKey, secretKey, region, host, path}. Nothing here is logged.
// A signature holds for one path and some minutes, so each miss makes its own; a hit makes none.

import crypto from 'crypto';

const NO_BODY = crypto.createHash('sha256').update('').digest('hex');
const SIGNED = 'host;x-amz-content-sha256;x-amz-date';

// As it is sent and as it is signed: every byte escaped that S3's canonical form escapes.
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
