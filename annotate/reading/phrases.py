"""How web pages word what they wrap around an article: families of phrases, one line each.

A blank in a phrase stands for any white space, case does not count, and {braces} name a part defined above.
"""

from __future__ import annotations

import re

_PARTS = {
    "month": r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)(?:[a-z]{2,6})?\.?",
    "weekday": r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tue|wed|thu|fri|sat|sun)\b\.?",
    "agency": r"(?:reuters|ap|afp|xinhua|bloomberg|upi|ani|pti|ians|dpa|efe|tass|kyodo|associated press)",
    "bank": r"(?:getty(?: images)?|shutterstock|unsplash|pexels|istock|wikimedia(?: commons)?|ap photo)",
    "network": r"(?:twitter|facebook|instagram|whatsapp|telegram|linkedin|youtube|tiktok|pinterest|reddit)",
    "mail": r"(?:e-?mails?|newsletters?|alerts?|updates?|notifications?|headlines|inbox|briefings?|digest)",
    "picture": r"(?:photo(?:graph)?|image|pic(?:ture)?|video|illustration|graphic|cover|file photo)s?",
    "names": r"(?-i:[A-Z][\w.’'-]*(?:[\s,/&|]+(?:[A-Z][\w.’'-]*|for|of|and|the|via))*)",
    "ask": r"(?:please |to )?(?:read|watch|listen|see|view|show|join|leave|let|tell|send|e-?mail|contact|"
    r"connect|share|copy|print|log ?in|sign ?(?:in|up)|notify|swipe|tap|skip|click|check|download|subscribe|"
    r"follow|get|submit|save|manage|visit|register|report|support|become|continue|scroll|turn|open|add|like|"
    r"hide|try|rate)",
    "thing": r"(?:us|me|videos?|article|story|stories|comments?|conversation|discussion|page|ads?|advert\w*|"
    r"apps?|link|journalism|members?|subscribers?|newsletters?|channels?|websites?|site|e-?mails?|browser|"
    r"posts?|tips|friends|author|reporters?|account|settings|subscription|podcasts?|episode|gallery|replies|"
    r"notifications)",
    "piece": r"(?:story|article|post|report|piece|page|content|column)",
    "pieces": r"(?:stories|articles?|news|posts?|videos?|content|topics|reading|coverage|links)",
    "button": r"\b(?:share|print|save|e-?mail|tweet|like|follow|subscribe|sign ?(?:in|up)|log ?(?:in|out)|"
    r"register|menu|home|close|next|previous|comment)\b",
    "place": r"(?:channel|group|app|page|website|site)",
    "chosen": r"(?:related|recommended|more|top|latest|popular|trending|other|most (?:read|popular))",
    "comments": r"(?:comments?|replies|responses)",
    "reporter": r"(?:report(?:er)?|writer|correspondent|desk|editor)s?",
    "on": r"(?:on|via|at|to)",
    "footer": r"\b(?:about us|contact us|privacy policy|terms of (?:use|service)|cookie (?:policy|settings)|"
    r"faq|sitemap)\b",
    "dated": r"(?:(?:posted|(?:last |first )?(?:published|updated|modified)|date) ?(?:on|at|:)? ?)?",
    "desk": r"(?:reporting|writing|editing)",
    "hand": r"(?:reporting|writing|editing|edited|written|reported|compiled|translated|posted|published)",
}
_PARTS["date"] = (
    rf"(?:{_PARTS['weekday']},? )?(?:\d{{1,2}}(?:st|nd|rd|th)? {_PARTS['month']},?(?: \d{{4}})?|"
    rf"{_PARTS['month']} \d{{1,2}}(?:st|nd|rd|th)?,?(?: \d{{4}})?|\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{1,4}})"
    r"(?:\W*(?:at )?\d{1,2}[:.]\d{2}(?::\d\d)?(?: ?[ap]\.?m\.?)?(?: \(?[a-z]{2,4}\)?)?)?"
)


def _any_of(families: str, before: str = "", after: str = "") -> re.Pattern[str]:
    """One expression for all lines, each between `before` and `after`."""
    whole = "|".join(line.strip() for line in families.splitlines() if line.strip())
    for name, part in _PARTS.items():
        whole = whole.replace(f"{{{name}}}", part)
    whole = whole.replace(" ", r"\s+").replace(r"\s+?", r"\s*")
    return re.compile(f"{before}(?:{whole}){after}", re.IGNORECASE | re.DOTALL)


LABEL = _any_of(
    r"""
    (?:also|must|read|see) (?:also|read|see|watch|more|next|this)
    (?:you )?(?:may|might) (?:also )?(?:like|read)
    related(?: (?:stories|stor[yi]|articles?|news|posts?|content|topics|coverage|links?|reading))?
    (?:more|latest)(?: (?:from|on|about) .{1,40}?| stories| news)?
    our standards
    most (?:read|popular|viewed)
    recommended(?: for you)?
    trending(?: now)?
    editor['’]?s['’]? picks?
    don['’]t miss
    (?:watch|listen|read)(?: (?:now|live|video|more|on|here))?
    further reading
    (?:up next|(?:next|previous) {piece})
    (?:tags?|topics?|keywords?|categor(?:y|ies)|filed under|posted in)
    (?:share|follow)(?: (?:this|us|on))?
    (?:{picture}(?: (?:credits?|courtesy|source|caption|by))?|credits?|courtesy|caption)
    {hand} by
    (?:author|source|reporter|editor|contact|e-?mail|copyright|via)s?
    (?:first |last )?(?:published|updated|modified|posted)(?: (?:on|at))?
    """,
    before=r"[^\w“\"‘']*",
    after=r"\s*[:：|]",
)
"""Opens a short line that is no part of the article: `Also Read: …`, `Photo: AFP`, `Tags: …`."""

NOTE = _any_of(
    r"(?:disclaimer|disclosure|editor['’]?s['’]? note|about the author)s?", before=r"\W*", after=r"\s*[:：]"
)
"""Opens a line of any length that speaks of the article: `Disclaimer: …`."""

WHOLE = _any_of(
    r"""
    (?:leave|post|write|add|submit) (?:a|your|the first) (?:reply|comment|review|response)\b.{0,40}
    (?:(?:\d+|no|view|show|all|load(?: more)?|see|post) )?{comments}
    {comments}(?: ?\(\d+\)| (?:are )?(?:closed|off|yet))+
    please enter (?:your|a) .{0,40}
    be the first to (?:comment|reply|review|write)\b.{0,40}
    (?:website|e-?mail(?: address)?|have something to say)
    (?:become a (?:member|subscriber|patron)|donate)(?: now| today)?
    (?:ends?|-?30-?|more to (?:come|follow))
    the post .{0,120} appeared first on .*
    (?:{footer} ?\W? ?)+
    what(?:['’]s| is) your (?:reaction|take|opinion)
    (?:what do you think|have your say)\b.{0,10}comments?.{0,10}
    (?:name|e-?mail|website|comment|message)(?: ?\*| \(required\))+
    (?:cancel )?reply|submit|send|search
    (?:{button} ?\W? ?)+
    (?:share|save|print) this(?: {piece})?|share (?:on|via|this) .{0,30}
    back to top|skip to (?:main )?content|loading|play
    (?:read|see|view|show|load|learn|find out) (?:more|on|next)|continue reading|read full {piece}
    {chosen} {pieces}(?: more from .{0,20})?
    also read|read also|related|recommended|trending|(?:previous|next) {piece}|don['’]t miss (?:out|it)
    advertisements?(?: ?[-–—|:] ?.{0,40})?|sponsored(?: content)?|promoted(?: content)?
    (?:the )?(?:story|article|video) continues .{0,40}
    scroll (?:down )?(?:to|for) (?:continue|read|more)\b.{0,40}
    \d+ ?(?:min(?:ute)?s? read|shares?|views?|likes?|retweets?)
    (?:please )?(?:share|like|find|join) (?:us|me|this|it|our|your)\b.{0,40} {on} {network}\b.{0,60}
    (?:and )?follow (?:us|me|him|her|them|our|@|(?-i:[A-Z])).{0,40} {on} {network}\b.{0,60}
    {network}(?:(?: ?[,/|&·] ?| and | or | ){network})*
    follow (?:us|me|@\w+)\b.{0,60}
    {dated}{date}(?: by .{2,40}|\W+.{1,20} ago)?
    (?:posted|published|updated) .{1,20} ago
    (?:staff|special|news|web|senior|chief|political|foreign|diplomatic) {reporter}
    (?:our|by|from) (?:\w+ )?(?:staff|web ?desk|bureau|agenc(?:y|ies)|{reporter})(?: {reporter})?
    {agency}(?: (?:staff|news|news agency))?
    (?:with )?additional {desk} by .*|(?<=[(\[]){desk}(?: and {desk})? by .*|{desk} by .*[;,.] ?{desk} by .*
    with (?:additional )?(?:inputs?|reporting|files) (?:from|by) .{2,60}
    .{3,60} contributed to this {piece}
    {picture} ?(?:copyright|source|credits?|caption|courtesy|by|via|[/|,]),? ?(?:by|of )?{names}
    (?:{agency}|{bank}|file|stock|representational|representative|handout) {picture}(?: ?[:/|(–—-].{0,60})?
    {bank}
    .{0,60}(?:/|\||via |\(|©) ?(?:{bank}|{agency} ?/ ?(?:file|getty|{agency}).{0,30})
    """,
    before=r"\W*",
    after=r"\W*",
)
"""A sentence that is nothing but this."""

BYLINE = re.compile(
    r"\W*(?:By|by|BY|From|FROM|"
    r"(?:Words|Written|Report(?:ed|ing)|Posted|Published|Edit(?:ed|ing)|Translated) by):?\s+"
    r"(?:(?:[A-Z][\w.’'-]*|and|for|of|in|at|the|de|van|von|bin|al)(?:[\s&,|/·]+|\W*$))+"
)
"""`By Jane Doe, Reuters`: names and nothing after them. Case counts."""

DATELINE = _any_of(
    r"""
    (?:{date} ?)?[(/]{agency}[)/] ?[-–—:]*
    {date},? ?(?:[(/]{agency}[)/] ?)?[-–—:]*
    [-–—]+
    """,
    before=r"(?-i:[A-Z][A-Z.'’\s-]{2,})(?:,\s+\w[\w. ]{0,30}?)?,?\s*",
)
"""A place in capitals, a date or an agency, and no report after it: `BEIJING, Sept 8 (Xinhua) —`."""

PROMPT = _any_of(
    r"""
    (?:please )?(?:sign up|subscribe|register)\b.{0,80}\b(?:{mail}|channel|podcast|access|today|now|here)\b
    (?:get|receive) .{0,80}\b{mail}\b.{0,60}\b(?:inbox|free|daily|sign|subscri\w+|phone)\b
    (?:join|follow|like|install|visit|support|check out)\b.{0,60}\bour (?:\w+ )?(?:{mail}|{network}|{place})\b
    subscribe (?:to|now|today|for)\b
    (?:click|tap) (?:here|on|to)\b
    (?:accept|allow|manage|reject) (?:all )?cookies\b
    (?:get|track|catch|read|see|watch) (?:all )?(?:the |our )?latest (?:news|updates|stories|headlines)\b
    download\b.{0,40}\bapp\b
    read more (?:about|at|on|here|from)\b
    {ask} (?:[\w’'-]+ ){0,4}?{thing}(?: [\w’'@.-]+){0,6}[^\w”"]*$
    please (?:log|sign|wait|enter)\b
    """,
    before=r"[^\w“\"‘']*",
)
"""Opens a sentence that asks the reader to do something with the page."""

TELLING = _any_of(
    r"""
    ©\s*\w
    all rights reserved\b
    copyright (?:\(c\) )?(?:19|20)\d\d\b
    may not be (?:published|reproduced|republished|rewritten|redistributed)\b
    (?:auto|automatically)[- ]?(?:published|generated)\b
    has not been (?:edited|reviewed) by\b
    (?:views|opinions) expressed (?:here|in|by|are)\b.{0,80}\b(?:author|own|writer|necessarily)
    (?:views?|opinions?|{piece})\b.{0,80}\bdo(?:es)? not (?:necessarily )?(?:reflect|represent)\b
    (?:this|the) {piece} (?:was|is|has been) (?:originally|first|also) (?:published|posted)\b
    (?:this|the) {piece} (?:was|is|has been) (?:(?:re|auto-?)published|syndicated)\b
    (?:this|the) {piece} (?:originally|first) appeared\b
    your (?:e-?mail address will not|comment)\b
    logged in to\b
    required fields are marked\b
    save my name\b.*\bbrowser\b
    this site uses (?:akismet|cookies)\b
    (?:we|our partners|our website|website|site) (?:also )?uses? cookies\b
    (?:agree|consent) to (?:our|the) (?:terms|privacy|use of cookies)\b
    by (?:continuing|clicking|signing up|subscribing|using)\b.{0,80}\byou (?:agree|accept|consent)\b
    privacy policy\b.{0,40}\bterms\b
    terms (?:of|and) (?:use|service|conditions)\b.{0,40}\b(?:privacy|apply)\b
    (?:sign up|subscribe) (?:for|to) (?:our|the|your|this|a)(?: [\w-]+){0,3} {mail}\b
    (?:delivered|straight|directly) to your (?:inbox|phone)\b
    already a (?:subscriber|member)\b
    to (?:continue|keep) reading\b
    read the (?:full|original|whole) {piece} (?:here|at|on)\b
    click here\b
    enable javascript\b
    your browser does not support\b
    ad ?blocker\b
    """,
    before=r"(?<!\w)",
)
"""A sentence that holds this anywhere."""

SIGNPOST = _any_of(
    r"""
    (?:also|must) read|read (?:also|next)|see also|you (?:may|might) (?:also )?(?:like|be interested in)
    {chosen} (?:{pieces}|for you|now)
    related|recommended|trending(?: now)?|most (?:read|popular|viewed)|editor['’]?s['’]? picks?|don['’]t miss
    more (?:on|in|from) (?:this {piece}|{names})
    """,
    before=r"\W*",
    after=r"\W*",
)
"""A line that heads a list of other articles."""
