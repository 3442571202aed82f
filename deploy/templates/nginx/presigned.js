// Which requests S3's proxy lets through: those with a whole presigned query (AWS Signature Version 4) for one object. S3 checks
// the signature itself. A malformed query ends here: some make SeaweedFS drop the connection.

const NEEDED = {
    'X-Amz-Algorithm': /^AWS4-HMAC-SHA256$/,
    'X-Amz-Credential': /^[A-Za-z0-9_-]{1,128}\/[0-9]{8}\/[a-z0-9-]{1,32}\/s3\/aws4_request$/,
    'X-Amz-Date': /^[0-9]{8}T[0-9]{6}Z$/,
    'X-Amz-Expires': /^[0-9]{1,6}$/,
    'X-Amz-SignedHeaders': /^[a-z0-9-]{1,64}(;[a-z0-9-]{1,64}){0,15}$/,
    'X-Amz-Signature': /^[0-9a-f]{64}$/,
};
const OBJECT = /^\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/[^?]+$/;

// "1" if the request may go on to S3, else "".
function presigned(r) {
    const uri = r.variables.request_uri;
    const mark = uri.indexOf('?');
    if (mark < 0 || !OBJECT.test(uri.slice(0, mark))) {
        return '';
    }
    const found = {};
    const pairs = uri.slice(mark + 1).split('&');
    for (let i = 0; i < pairs.length; i++) {
        const at = pairs[i].indexOf('=');
        const name = decoded(at < 0 ? pairs[i] : pairs[i].slice(0, at));
        const value = at < 0 ? '' : decoded(pairs[i].slice(at + 1));
        // A name in another spelling could be read by S3 and not here. The same name twice could be read differently.
        if (name === null || value === null || found[name.toLowerCase()]) {
            return '';
        }
        found[name.toLowerCase()] = true;
        if (NEEDED[name]) {
            if (!NEEDED[name].test(value)) {
                return '';
            }
            found[name] = true;
        }
    }
    return Object.keys(NEEDED).every((name) => found[name]) ? '1' : '';
}

// A value that is not valid percent-encoding is null.
function decoded(text) {
    try {
        return decodeURIComponent(text.replace(/\+/g, ' '));
    } catch (error) {
        return null;
    }
}

export default {presigned};
