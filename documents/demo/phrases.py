"""The words of lawyers: sentences with slots in braces, and what fills the slots.

Slots: {us} and {them} are the two sides, {court} {judge} {city} {state} belong to the matter, the
others are filled afresh each time (`prose.py`). Ordered by frequency.
"""

WORDS = {
    "claim": (
        "breach of contract|negligence|fraudulent inducement|breach of fiduciary duty|"
        "unjust enrichment|tortious interference|misappropriation of trade secrets|"
        "breach of the implied covenant of good faith|patent infringement|retaliation|"
        "wrongful termination|conversion|defamation|unfair competition|trademark dilution|"
        "promissory estoppel|civil conspiracy|private nuisance|quantum meruit|trespass to chattels"
    ),
    "fact": (
        "the written notice of default|the invoices for the second quarter|the wire transfer|"
        "the amended purchase order|the safety inspection report|the minutes of the board meeting|"
        "the exchange of electronic mail|the inventory records|the warranty card|the time sheets|"
        "the letter of intent|the escrow instructions|the shipping manifest|the audit workpapers|"
        "the environmental survey|the laboratory notebooks|the closing statement|"
        "the maintenance log of the turbine|the photographs of the loading dock|the side letter"
    ),
    "duty": (
        "to deliver conforming goods|to pay the agreed price|to preserve relevant documents|"
        "to disclose conflicts of interest|to maintain the premises in a safe condition|"
        "to keep the information confidential|to provide reasonable notice|"
        "to act in good faith|to mitigate its damages|to indemnify the other party|"
        "to obtain regulatory approval|to supervise its subcontractors|to account for royalties"
    ),
    "doctrine": (
        "the parol evidence rule|the statute of limitations|collateral estoppel|res judicata|"
        "the economic loss rule|the business judgment rule|equitable tolling|the work product rule|"
        "attorney-client privilege|sovereign immunity|forum non conveniens|the mailbox rule|"
        "promissory estoppel|assumption of risk|the doctrine of laches|judicial estoppel|"
        "the best evidence rule|qualified immunity|the collateral source rule|champerty"
    ),
    "manner": (
        "plainly|repeatedly|expressly|in writing|without justification|promptly|knowingly|"
        "in good faith|at all relevant times|on information and belief|unambiguously|in bad faith|"
        "with reasonable diligence|over the objection of counsel|sua sponte|pro tanto"
    ),
    "standard": (
        "a preponderance of the evidence|clear and convincing evidence|abuse of discretion|"
        "de novo review|substantial evidence|probable cause|rational basis|strict scrutiny|"
        "reasonable suspicion|the clearly erroneous standard"
    ),
    "relief": (
        "compensatory damages|injunctive relief|specific performance|a declaratory judgment|"
        "rescission of the agreement|prejudgment interest|reasonable attorneys' fees|"
        "an accounting|disgorgement of profits|a constructive trust|punitive damages|"
        "a protective order|dismissal with prejudice|an order compelling production|remand"
    ),
    "witness": (
        "the chief financial officer|the plant manager|the treating physician|the project engineer|"
        "the forensic accountant|the claims adjuster|the investigating officer|"
        "the shift supervisor|the custodian of records|the appraiser|the night watchman|"
        "the harbor pilot|the actuary"
    ),
    "goods": (
        "industrial pumps|replacement bearings|medical devices|agricultural chemicals|"
        "software licenses|structural steel|frozen seafood|textile machinery|lithium batteries|"
        "roofing materials|aircraft parts|telecommunications equipment|printing plates|turbines"
    ),
    "term": (
        "Confidential Information|Licensed Products|Net Sales|Effective Date|Territory|Affiliate|"
        "Change of Control|Deliverables|Services|Purchase Price|Intellectual Property|Term|"
        "Closing Date|Royalty Period|Force Majeure Event|Permitted Assignee|Minimum Commitment"
    ),
    "state": (
        "Delaware|New York|California|Texas|Illinois|Florida|Massachusetts|Washington|Georgia|"
        "Nevada|Virginia|Colorado|Minnesota|Ohio|Pennsylvania"
    ),
}
ARGUMENT = (
    "{us} respectfully submits this paper in support of its claim for {claim}.",
    "The record shows that {them} {manner} failed {duty}.",
    "On {day}, {witness} received {fact} and forwarded it to counsel.",
    "The elements of {claim} are settled. See {cite}.",
    "{them} relies on {doctrine}, but that reliance is misplaced for three reasons.",
    "First, {fact} was produced on {day}, well before the close of discovery.",
    "Second, {witness} testified {manner} that the parties intended {duty}.",
    "Third, nothing in {statute} relieves {them} of its obligation {duty}.",
    "The Court should therefore grant {relief} in favor of {us}.",
    "A party seeking {relief} must satisfy {standard}. {cite}.",
    "The amount in controversy exceeds {money}, exclusive of interest and costs.",
    "Jurisdiction is proper under {statute}, and venue lies in this district.",
    "Under {doctrine}, the evidence of {fact} is inadmissible for that purpose.",
    "{them} sold {goods} to {us} under an agreement dated {day}.",
    "Between {day} and {day}, {us} paid {money} for {goods} that were never delivered.",
    "The deposition of {witness} took place in {city} on {day}.",
    "As the court explained in {cite}, the duty {duty} cannot be waived by silence.",
    "The motion is timely because it was filed within the period set by {statute}.",
    "No genuine dispute of material fact remains as to {claim}.",
    "{them} has not identified a single document that contradicts {fact}.",
    "The jury was entitled to credit {witness} over the expert retained by {them}.",
    "Review is governed by {standard}.",
    "Counsel conferred by telephone on {day} and could not resolve the dispute.",
    "{us} reserves the right to seek {relief} at a later stage.",
    "The prejudice to {us} is concrete: {money} in lost revenue and the loss of {goods}.",
    "Whatever the merits of {doctrine} elsewhere, it has no place in a case about {claim}.",
    "The plain text of {statute} forecloses that reading. Accord {cite}.",
    "{judge} denied a similar request from the bench on {day}.",
    "The exhibits attached to the declaration include {fact}, {fact} and {fact}.",
    "Plaintiffs in comparable actions in {state} have recovered {relief}.",
)
CORRESPONDENCE = (
    "I write on behalf of {us} regarding {fact}.",
    "Please let me know by {day} whether your client will agree to {relief}.",
    "Enclosed you will find {fact}, which we received from {witness}.",
    "Our position on {doctrine} has not changed since our call of {day}.",
    "We understand that {them} intends {duty} before the hearing.",
    "Without a response we will ask {judge} for {relief}.",
    "This letter is written without prejudice and for settlement purposes only.",
    "The outstanding balance as of {day} is {money}.",
    "We have retained {witness} as a consulting expert.",
    "Kindly preserve all documents that concern {goods}, including electronic mail.",
    "I have reviewed {statute} and the decision in {cite}.",
    "In my judgment the claim for {claim} is strong, and the exposure is about {money}.",
    "The team should collect {fact} before the deposition in {city}.",
    "Time entries for this matter must be entered by {day}.",
)
TESTIMONY = (
    ("Did you see {fact} before {day}?", "I did. It was on the desk of {witness}."),
    ("Who asked you {duty}?", "As far as I recall it was {witness}."),
    ("How much was paid for {goods}?", "About {money}, in two installments."),
    ("Were you in {city} on {day}?", "Yes, for a meeting with {them}."),
    ("What did {witness} say about {fact}?", "That it should not leave the building."),
    ("Do you know what {doctrine} means?", "Only what counsel told me, and that is privileged."),
    ("Is this a true copy of {fact}?", "It appears to be, except for the handwriting."),
    ("When did you first hear of {claim}?", "Around {day}, from {witness}."),
    ("Did anybody ask you in writing {duty}?", "Not that I remember."),
    ("Have you read {statute}?", "No, and I was never asked to."),
)
CLAUSES = {
    "Definitions": (
        "“{term}” has the meaning given in Section {number}.",
        "References to “{term}” include every {term} that comes into being after the {term}.",
    ),
    "License Grant": (
        "{us} grants to {them} an exclusive license to use the {term} in the Territory.",
        "The license is non-transferable and may be sublicensed only with prior written consent.",
        "No license to {goods} is granted by implication.",
    ),
    "Payment": (
        "{them} shall pay {money} within thirty days after receipt of a correct invoice.",
        "Late amounts bear interest at one and one-half percent per month.",
        "Royalties are computed on the {term} of each calendar quarter.",
    ),
    "Most Favored Nation": (
        "If {us} grants any third party more favorable terms for {goods}, it shall offer the same"
        " terms to {them}.",
        "This most favored nation provision does not apply to sales to an Affiliate.",
    ),
    "Confidentiality": (
        "Each party shall hold the Confidential Information of the other in strict confidence.",
        "The obligation survives for five years after termination.",
    ),
    "Term and Termination": (
        "This Agreement begins on {day} and continues for a period of three years.",
        "Either party may terminate for material breach that is not cured within sixty days.",
        "Upon a Change of Control of {them}, {us} may terminate on ninety days' notice.",
    ),
    "Indemnification": (
        "{them} shall indemnify and hold harmless {us} from any claim of {claim}.",
        "The indemnified party shall give prompt notice and reasonable cooperation.",
    ),
    "Limitation of Liability": (
        "In no event shall the aggregate liability of either party exceed {money}.",
        "Neither party is liable for consequential, incidental or exemplary damages.",
    ),
    "Non-Competition": (
        "During the Term, {them} shall not sell {goods} that compete with the {term}.",
        "The parties agree that the restriction is reasonable in scope and duration.",
    ),
    "Assignment": (
        "Neither party may assign this Agreement without consent, except to a Permitted Assignee.",
        "Any purported assignment in violation of this Section is void.",
    ),
    "Audit": (
        "{us} may inspect the books of {them} once in each calendar year on ten days' notice.",
        "If an audit shows an underpayment above five percent, {them} bears its cost.",
    ),
    "Insurance": (
        "{them} shall maintain commercial general liability insurance of at least {money}.",
        "Certificates shall name {us} as an additional insured.",
    ),
    "Force Majeure": (
        "A party is excused to the extent that a Force Majeure Event prevents its performance.",
        "The party affected shall use reasonable efforts {duty}.",
    ),
    "Arbitration": (
        "Any dispute shall be settled by binding arbitration seated in {city}.",
        "The award is final, and judgment on it may be entered in any court of competent"
        " jurisdiction.",
    ),
    "Governing Law": (
        "This Agreement is governed by the laws of the State of {state}, without regard to its"
        " conflict of laws rules.",
    ),
    "Notices": (
        "Notices shall be in writing and are deemed given upon receipt by {witness}.",
        "A copy shall be sent to counsel at its office in {city}.",
    ),
    "Entire Agreement": (
        "This Agreement supersedes all prior understandings, including {fact} of {day}.",
        "It may be amended only by a writing signed by both parties.",
    ),
}
