"""Names for people, companies and places. All combinations are made up; ordered by frequency."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara "
    "Richard Susan Joseph Jessica Thomas Karen Christopher Sarah Daniel Lisa Matthew Nancy "
    "Anthony Sandra Mark Ashley Steven Emily Andrew Kimberly Paul Margaret Joshua Donna Kenneth "
    "Michelle Kevin Carol Brian Amanda Timothy Melissa Ronald Deborah Jason Stephanie George "
    "Rebecca Edward Sharon Jeffrey Laura Ryan Cynthia Jacob Amy Nicholas Kathleen Gary Angela "
    "Eric Dorothy Jonathan Emma Stephen Brenda Larry Pamela Justin Nicole Scott Anna Brandon "
    "Samantha Benjamin Katherine Samuel Christine Gregory Helen Alexander Debra Patrick Rachel "
    "Frank Carolyn Raymond Janet Jack Maria Dennis Olivia Tyler Heather Jerry Aisha Henry "
    "Ingrid Adam Mei Nathan Priya Peter Fatima Zachary Rosa Kyle Noor Walter Yuki Ethan Leila "
    "Jeremy Sofia Keith Amara Noah Beatriz Omar Hana Diego Zofia Kwame Elif Rahul Saoirse Mateo "
    "Ngozi Anders Thuy Ivan Marisol Tariq Bronwyn"
)
LAST_NAMES = _words(
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez "
    "Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White "
    "Harris Sanchez Clark Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres "
    "Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts "
    "Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales "
    "Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos "
    "Kim Cox Ward Richardson Watson Brooks Chavez Wood James Bennett Gray Mendoza Ruiz Hughes "
    "Price Alvarez Castillo Sanders Patel Myers Long Ross Foster Jimenez Powell Jenkins Perry "
    "Russell Sullivan Bell Coleman Butler Henderson Barnes Okafor Lindqvist Haddad Kowalski "
    "Ferrante Achterberg Tanaka Delacroix Whitlock Abernathy Vance Holloway Prescott Iyer "
    "Castellano Brandt Ostrowski Nakamura Ibarra McAllister Fitzgerald Rosenthal Stavros Yilmaz "
    "Dubois Marchetti Eriksen Thackeray Obuya Szabo Quintero"
)
COMPANY_WORDS = _words(
    "Summit Pacific Northgate Atlantic Pioneer Riverside Sterling Keystone Meridian Horizon "
    "Cascade Evergreen Beacon Ironwood Silverline Bluewater Granite Crestview Harborview "
    "Redwood Lakeshore Brightwater Stonebridge Falcon Clearwater Westbrook Oakmont Trident "
    "Vanguard Sagebrush Copperfield Wavecrest Timberline Kestrel Halcyon Aurora Fairmont "
    "Ridgeline Blackstone Marlowe Tidewater Foxglove Alder Juniper Corvus Larkspur Windermere "
    "Bayside Solstice Ashgrove"
)
MONTHS = _words(
    "January February March April May June July August September October November December"
)
COMPANY_TRADES = (
    "Logistics",
    "Holdings",
    "Systems",
    "Manufacturing",
    "Foods",
    "Energy",
    "Properties",
    "Health",
    "Insurance",
    "Partners",
    "Pharmaceuticals",
    "Construction",
    "Financial",
    "Technologies",
    "Shipping",
    "Media",
    "Aviation",
    "Agriculture",
    "Semiconductors",
    "Capital",
    "Textiles",
    "Biosciences",
    "Mining",
    "Broadcasting",
    "Water Works",
)
COMPANY_FORMS = ("Inc.", "LLC", "Corporation", "Co.", "L.P.", "Ltd.", "Group, Inc.")

# City, state, the federal court that sits there, its circuit.
PLACES = (
    ("New York", "New York", "Southern District of New York", "2d Cir."),
    ("San Francisco", "California", "Northern District of California", "9th Cir."),
    ("Chicago", "Illinois", "Northern District of Illinois", "7th Cir."),
    ("Wilmington", "Delaware", "District of Delaware", "3d Cir."),
    ("Houston", "Texas", "Southern District of Texas", "5th Cir."),
    ("Boston", "Massachusetts", "District of Massachusetts", "1st Cir."),
    ("Philadelphia", "Pennsylvania", "Eastern District of Pennsylvania", "3d Cir."),
    ("Seattle", "Washington", "Western District of Washington", "9th Cir."),
    ("Atlanta", "Georgia", "Northern District of Georgia", "11th Cir."),
    ("Denver", "Colorado", "District of Colorado", "10th Cir."),
    ("Miami", "Florida", "Southern District of Florida", "11th Cir."),
    ("Minneapolis", "Minnesota", "District of Minnesota", "8th Cir."),
    ("Cleveland", "Ohio", "Northern District of Ohio", "6th Cir."),
    ("Richmond", "Virginia", "Eastern District of Virginia", "4th Cir."),
    ("Las Vegas", "Nevada", "District of Nevada", "9th Cir."),
)
STREETS = (
    "Market Street",
    "Main Street",
    "Third Avenue",
    "State Street",
    "Broadway",
    "Wacker Drive",
    "Pine Street",
    "Commerce Street",
    "Liberty Avenue",
    "Harbor Boulevard",
)
